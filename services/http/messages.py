"""What both APIs answer about one playback session."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer

from domain.history.continue_watching import is_played
from domain.titles.catalogue import Catalogue
from schemas.events import DeviceType, PlaybackEventType, PlayerState, TitleClass, ViewingRecord

Moment = Annotated[
    datetime,
    PlainSerializer(
        lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), return_type=str, when_used="json"
    ),
]
"""RFC 3339, UTC, milliseconds."""
MANY_STALLS = 3


class TitleItem(BaseModel):
    id: str = Field(examples=["ml-50"])
    name: str | None = Field(description="From the catalogue; null for an unknown id.")
    year: int | None


class Device(BaseModel):
    id: str
    type: DeviceType
    app_version: str


class Failure(BaseModel):
    code: str | None
    fatal: bool = Field(description="True when the error ended the session: a playback failure.")


class Quality(BaseModel):
    startup_time_ms: int | None = Field(description="Press of play to the first frame; null if none was shown.")
    rebuffer_count: int
    rebuffer_ms: int
    bitrate_kbps: int | None

    @property
    def stalled_often(self) -> bool:
        return self.rebuffer_count >= MANY_STALLS


class HistoryItem(BaseModel):
    playback_session_id: str
    title: TitleItem
    title_class: TitleClass
    started_at: Moment = Field(description="Start of the session, by the client's corrected clock.")
    last_event_at: Moment = Field(description="Newest event, by the client's corrected clock.")
    bookmark_ms: int = Field(description="Last position played with a picture; without one, where the player was.")
    duration_ms: int | None = Field(description="Length of the title; null for live streams.")
    watched_ms: int = Field(description="Time with the picture moving.")
    played: bool = Field(description="The session got beyond 90 % of the title.")
    watched_share: float | None = Field(description="watched_ms ÷ duration_ms, at most 1.")
    state: PlayerState
    last_event: PlaybackEventType
    device: Device
    country: str
    quality: Quality
    error: Failure | None


def history_item(record: ViewingRecord, catalogue: Catalogue) -> HistoryItem:
    failed = record.error_code or record.error_fatal
    duration_ms = record.length_ms or record.duration_ms
    return HistoryItem(
        playback_session_id=record.playback_session_id,
        title=title_item(record.title_id, catalogue),
        title_class=record.title_class,
        started_at=moment(record.start_time or record.session_started_at),
        last_event_at=moment(record.event_time),
        bookmark_ms=record.playhead_ms if record.played_ms is None else record.played_ms,
        duration_ms=duration_ms,
        watched_ms=record.watched_ms,
        played=is_played(record),
        watched_share=round(min(1.0, record.watched_ms / duration_ms), 4) if duration_ms else None,
        state=record.player_state,
        last_event=record.event_type,
        device=Device(id=record.device_id, type=record.device_type, app_version=record.app_version),
        country=record.country,
        quality=Quality(
            startup_time_ms=record.startup_time_ms,
            rebuffer_count=record.rebuffer_count,
            rebuffer_ms=record.rebuffer_ms,
            bitrate_kbps=record.bitrate_kbps,
        ),
        error=Failure(code=record.error_code, fatal=record.error_fatal) if failed else None,
    )


def title_item(title_id: str, catalogue: Catalogue) -> TitleItem:
    title = catalogue.title(title_id)
    return TitleItem(id=title_id, name=title.name, year=title.year)


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
