"""What the history API answers: viewing records as a client wants to read them."""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field, PlainSerializer

from domain.history.continue_watching import Bookmark
from domain.recommendations.model import Reason, Recommendation
from domain.recommendations.service import Shown, wording
from domain.titles.catalogue import Catalogue
from schemas.events import DeviceType, PlaybackEventType, PlayerState, TitleClass, ViewingRecord

Moment = Annotated[
    datetime,
    PlainSerializer(
        lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), return_type=str, when_used="json"
    ),
]
"""RFC 3339, UTC, milliseconds."""
T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the items after these; null at the end.")
    complete: bool = Field(description="False when a part of the history could not be read: items may be missing.")


class TitleItem(BaseModel):
    id: str = Field(examples=["ml-50"])
    name: str | None = Field(description="From the catalogue; null where it does not know the id.")
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
        """So often that it is worth a remark."""
        return self.rebuffer_count >= 3


class HistoryItem(BaseModel):
    playback_session_id: str
    title: TitleItem
    title_class: TitleClass
    started_at: Moment = Field(description="Start of the session by the client's clock.")
    last_event_at: Moment = Field(description="Newest event, by the client's clock set right.")
    bookmark_ms: int = Field(description="Position in the title.")
    duration_ms: int | None = Field(description="Length of the title; null for live streams.")
    watched_ms: int = Field(description="Time with the picture moving.")
    watched_share: float | None = Field(description="watched_ms ÷ duration_ms, at most 1.")
    state: PlayerState
    last_event: PlaybackEventType
    device: Device
    country: str
    quality: Quality
    error: Failure | None


class ContinueItem(BaseModel):
    title: TitleItem
    playback_session_id: str
    bookmark_ms: int = Field(description="Where to resume.")
    duration_ms: int
    progress: float = Field(description="bookmark_ms ÷ duration_ms.")
    last_watched_at: Moment
    played: bool = Field(description="Some earlier session came to 90 % of the title.")


class ReasonItem(BaseModel):
    kind: Reason
    text: str = Field(description="For the member.", examples=["Because you watched Star Wars"])
    title: TitleItem | None = Field(description="`because`: the title that was watched.")
    country: str | None = Field(description="`country`: where it is popular.")
    genre: str | None = Field(description="`genre`: which one the member often watches.")


class RecommendedItem(BaseModel):
    title: TitleItem
    reason: ReasonItem
    score: float = Field(description="Of the model; compares titles of one answer only.")


class Recommended(BaseModel):
    items: list[RecommendedItem]
    model: str = Field(description="What made the list; `none` before the first run of the job.")
    made_at: Moment | None = Field(description="When; null before the first run.")
    complete: bool = Field(
        description="False when a part of the history could not be read: watched titles may be among these."
    )


class End(BaseModel):
    sessions: int = Field(description="Lines before this one.")
    complete: bool = Field(description="False when a part of the history could not be read: sessions may be missing.")


class ExportEnd(BaseModel):
    """The last line of an export."""

    end: End


def history_item(record: ViewingRecord, catalogue: Catalogue) -> HistoryItem:
    return HistoryItem(
        playback_session_id=record.playback_session_id,
        title=_title(record.title_id, catalogue),
        title_class=record.title_class,
        started_at=moment(record.session_started_at),
        last_event_at=moment(record.event_time),
        bookmark_ms=record.playhead_ms,
        duration_ms=record.duration_ms,
        watched_ms=record.watched_ms,
        watched_share=round(min(1.0, record.watched_ms / record.duration_ms), 4) if record.duration_ms else None,
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
        error=Failure(code=record.error_code, fatal=record.error_fatal)
        if record.error_code or record.error_fatal
        else None,
    )


def continue_item(bookmark: Bookmark, catalogue: Catalogue) -> ContinueItem:
    return ContinueItem(
        title=_title(bookmark.title_id, catalogue),
        playback_session_id=bookmark.playback_session_id,
        bookmark_ms=bookmark.bookmark_ms,
        duration_ms=bookmark.duration_ms,
        progress=round(bookmark.bookmark_ms / bookmark.duration_ms, 4),
        last_watched_at=moment(bookmark.event_time),
        played=bookmark.played,
    )


def recommended(shown: Shown, catalogue: Catalogue, complete: bool) -> Recommended:
    return Recommended(
        items=[_recommended_item(item, catalogue) for item in shown.items],
        model=shown.made.model,
        made_at=moment(shown.made.made_at) if shown.made.made_at else None,
        complete=complete,
    )


def _recommended_item(item: Recommendation, catalogue: Catalogue) -> RecommendedItem:
    reason = ReasonItem(
        kind=item.reason,
        text=wording(item, catalogue),
        title=_title(item.about, catalogue) if item.reason == "because" and item.about else None,
        country=item.about if item.reason == "country" else None,
        genre=item.about if item.reason == "genre" else None,
    )
    return RecommendedItem(title=_title(item.title_id, catalogue), reason=reason, score=item.score)


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _title(title_id: str, catalogue: Catalogue) -> TitleItem:
    title = catalogue.title(title_id)
    return TitleItem(id=title_id, name=title.name, year=title.year)
