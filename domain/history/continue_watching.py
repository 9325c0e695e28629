"""Which titles a member can resume, and where: the last position that was played with a picture.

Sessions speak for their title in the order in which their pictures last moved: closing a tab that was paused long ago
changes nothing. A session takes the bookmark over if it played on from there, or if at least half a minute was watched.
So a play that fails, an accidental seek and a look at the beginning leave the bookmark where it was. Live channels and
trailers have none.

Titles of at least five minutes are listed if the bookmark is from 5 to 90 %. A title played to 90 % once stays played:
a rewatch that was left early is listed with its own bookmark, but the title does not become unplayed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from domain.history.kept import BEGINNING, STEADY_MS
from schemas.events import ViewingRecord

MIN_DURATION_MS = 300_000
MIN_SHARE = BEGINNING
MAX_SHARE = 0.90
NEVER_RESUMED = frozenset({"live", "trailer"})


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """Where to resume a title."""

    title_id: str
    playback_session_id: str
    bookmark_ms: int
    duration_ms: int
    watched_at: int
    """When the picture last moved, in ms since 1970."""
    played: bool
    """Some session of the title got beyond 90 %."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a session played last."""

    ms: int
    duration_ms: int
    settled: bool
    """Whether half a minute or more was watched around it: it is no accident."""

    @property
    def share(self) -> float:
        return self.ms / self.duration_ms


def last_played(record: ViewingRecord) -> Position | None:
    """None if the session never showed a picture, its title's length is unknown, or such titles are not resumed."""
    duration_ms = record.length_ms or record.duration_ms
    played_ms = _played_ms(record)
    if record.title_class in NEVER_RESUMED or not duration_ms or not played_ms:
        return None
    settled_ms, watched_ms = record.settled_ms, record.watched_ms
    if settled_ms is not None and record.settled_watched_ms is not None:
        since = record.watched_ms - record.settled_watched_ms
        played_on = _follows(played_ms, settled_ms, since)
        at_beginning = played_ms < BEGINNING * duration_ms
        if not played_on and (since < STEADY_MS or at_beginning):
            return Position(settled_ms, duration_ms, settled=True)
        if not played_on:
            watched_ms = since
    return Position(played_ms, duration_ms, settled=watched_ms >= STEADY_MS)


def watched_at(record: ViewingRecord) -> int:
    """When the session's picture last moved, in ms since 1970.

    A stall or a pause since its newest event while playing can make it too early, never too late.

    States of older software, and sessions that never played, have the time of their newest event.
    """
    if record.moved_at is None or record.moved_watched_ms is None:
        return record.event_time
    watched_since = max(0, record.watched_ms - record.moved_watched_ms)
    return min(record.event_time, record.moved_at + watched_since)


def is_played(record: ViewingRecord) -> bool:
    """Whether the session got beyond 90 % of its title, and not by accident."""
    position = last_played(record)
    return position is not None and position.share > MAX_SHARE and position.settled


def continue_watching(records: Iterable[ViewingRecord]) -> list[Bookmark]:
    """One profile's bookmarks from its merged records, the latest watched first; titles of five minutes and more."""
    marks = [mark for mark in _bookmarks(records) if mark.duration_ms >= MIN_DURATION_MS]
    return sorted(marks, key=lambda mark: (mark.watched_at, mark.playback_session_id), reverse=True)


def resume_point(records: Iterable[ViewingRecord], title_id: str) -> Bookmark | None:
    """The bookmark at which a title goes on, on any device; None if it starts at its beginning.

    Short titles resume, too; only the list leaves them out.
    """
    return next(iter(_bookmarks(record for record in records if record.title_id == title_id)), None)


def _bookmarks(records: Iterable[ViewingRecord]) -> list[Bookmark]:
    """At most one per title."""
    speaking: dict[str, tuple[ViewingRecord, Position]] = {}
    played: set[str] = set()
    for record in sorted(records, key=lambda record: (watched_at(record), record.playback_session_id)):
        position = last_played(record)
        if position is None:
            continue
        before = speaking.get(record.title_id)
        if before is None or _takes_over(record, position, before[1]):
            speaking[record.title_id] = record, position
            if position.share > MAX_SHARE and (position.settled or before is not None):
                played.add(record.title_id)
    return [
        _bookmark(record, position, record.title_id in played)
        for record, position in speaking.values()
        if MIN_SHARE <= position.share <= MAX_SHARE
    ]


def _takes_over(record: ViewingRecord, new: Position, old: Position) -> bool:
    if _follows(new.ms, old.ms, record.watched_ms):
        return True
    if new.share < BEGINNING:
        return False
    return new.settled or not old.settled


def _follows(ms: int, before_ms: int, watched_ms: int) -> bool:
    """Whether watching on from ``before_ms`` leads there, give or take half a minute."""
    return abs(ms - (before_ms + watched_ms)) <= STEADY_MS


def _played_ms(record: ViewingRecord) -> int | None:
    """States of older software keep no position: theirs is that of the newest event, if it can be one."""
    if record.played_ms is not None or record.length_seq is not None:
        return record.played_ms
    return record.playhead_ms if record.startup_time_ms is not None and record.watched_ms > 0 else None


def _bookmark(record: ViewingRecord, position: Position, played: bool) -> Bookmark:
    return Bookmark(
        title_id=record.title_id,
        playback_session_id=record.playback_session_id,
        bookmark_ms=position.ms,
        duration_ms=position.duration_ms,
        watched_at=watched_at(record),
        played=played,
    )
