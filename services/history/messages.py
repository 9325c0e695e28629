"""What the history API answers, besides sessions themselves."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from domain.history.continue_watching import Bookmark
from domain.recommendations.model import Reason, Recommendation
from domain.recommendations.service import CurrentRecommendations, reason_text
from domain.titles.catalogue import Catalogue
from services.http.messages import Moment, TitleItem, moment, title_item

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the items after these; null at the end.")
    complete: bool = Field(description="False when a part of the history could not be read: items may be missing.")


class ContinueItem(BaseModel):
    title: TitleItem
    playback_session_id: str
    bookmark_ms: int = Field(description="Where to resume.")
    duration_ms: int
    progress: float = Field(description="bookmark_ms ÷ duration_ms.")
    last_watched_at: Moment = Field(description="When the picture last moved, by the clock of the service.")
    played: bool = Field(description="One of the newest 500 sessions got beyond 90 % of the title.")


class ResumePoint(BaseModel):
    bookmark_ms: int = Field(description="Where to start; 0: at the beginning.")
    playback_session_id: str | None = Field(description="The session that was left there.")
    complete: bool = Field(description="False when a part of the history could not be read: it may be an older point.")


class ReasonItem(BaseModel):
    kind: Reason
    text: str = Field(description="For the member.", examples=["Because you watched Star Wars"])
    title: TitleItem | None = Field(description="`because`: the title that was watched.")
    country: str | None = Field(description="`country`: where it is popular.")
    genre: str | None = Field(description="`genre`: which one the member often watches.")


class RecommendedItem(BaseModel):
    title: TitleItem
    reason: ReasonItem
    score: float = Field(description="Given by the model; compares titles of one answer only.")


class Recommended(BaseModel):
    items: list[RecommendedItem]
    model: str = Field(description="What made the list; `none` before the job's first run.")
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


def continue_item(bookmark: Bookmark, catalogue: Catalogue) -> ContinueItem:
    return ContinueItem(
        title=title_item(bookmark.title_id, catalogue),
        playback_session_id=bookmark.playback_session_id,
        bookmark_ms=bookmark.bookmark_ms,
        duration_ms=bookmark.duration_ms,
        progress=round(bookmark.bookmark_ms / bookmark.duration_ms, 4),
        last_watched_at=moment(bookmark.watched_at),
        played=bookmark.played,
    )


def recommended(found: CurrentRecommendations, catalogue: Catalogue, complete: bool) -> Recommended:
    return Recommended(
        items=[_recommended_item(item, catalogue) for item in found.items],
        model=found.source.model,
        made_at=moment(found.source.made_at) if found.source.made_at else None,
        complete=complete,
    )


def _recommended_item(item: Recommendation, catalogue: Catalogue) -> RecommendedItem:
    reason = ReasonItem(
        kind=item.reason,
        text=reason_text(item, catalogue),
        title=title_item(item.about, catalogue) if item.reason == "because" and item.about else None,
        country=item.about if item.reason == "country" else None,
        genre=item.about if item.reason == "genre" else None,
    )
    return RecommendedItem(title=title_item(item.title_id, catalogue), reason=reason, score=item.score)
