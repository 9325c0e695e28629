"""Which titles a member can resume, and where.

The session with the latest event time decides for its title. Titles of at least five minutes are listed if 5 to 90 %
was played. A title played to 90 % once stays played: a rewatch that was left early is listed with its own bookmark, but
the title does not become unplayed.
"""

from collections.abc import Iterable

import msgspec

from schemas.events import ViewingRecord

MIN_DURATION_MS = 300_000
MIN_SHARE = 0.05
MAX_SHARE = 0.90


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """Where to resume a title."""

    title_id: str
    playback_session_id: str
    bookmark_ms: int
    duration_ms: int
    event_time: int
    played: bool
    """Some session of the title got beyond 90 %."""


def continue_watching(records: Iterable[ViewingRecord]) -> list[Bookmark]:
    """One profile's bookmarks from its merged records, the latest watched first."""
    latest: dict[str, ViewingRecord] = {}
    played: set[str] = set()
    for record in records:
        if _share(record) > MAX_SHARE:
            played.add(record.title_id)
        other = latest.get(record.title_id)
        if other is None or _later(record) > _later(other):
            latest[record.title_id] = record
    bookmarks = [_bookmark(record, record.title_id in played) for record in latest.values() if _resumable(record)]
    return sorted(bookmarks, key=lambda mark: (mark.event_time, mark.playback_session_id), reverse=True)


def resume_point(records: Iterable[ViewingRecord], title_id: str) -> ViewingRecord | None:
    """The session at whose position a title goes on: the newest one that showed a picture, on any device.

    None if there is none, or if it ended outside of 5 to 90 %: then the title starts at its beginning. The position is
    the last one, never the furthest. Short titles resume, too; only the list leaves them out.
    """
    shown = [each for each in records if each.title_id == title_id and each.startup_time_ms is not None]
    newest = max(shown, key=_later, default=None)
    return newest if newest and MIN_SHARE <= _share(newest) <= MAX_SHARE else None


def _later(record: ViewingRecord) -> tuple[int, str]:
    return record.event_time, record.playback_session_id


def _share(record: ViewingRecord) -> float:
    """Played part of the title, 0 when its length is unknown (live)."""
    return record.playhead_ms / record.duration_ms if record.duration_ms else 0.0


def _resumable(record: ViewingRecord) -> bool:
    return (record.duration_ms or 0) >= MIN_DURATION_MS and MIN_SHARE <= _share(record) <= MAX_SHARE


def _bookmark(record: ViewingRecord, played: bool) -> Bookmark:
    return Bookmark(
        title_id=record.title_id,
        playback_session_id=record.playback_session_id,
        bookmark_ms=record.playhead_ms,
        duration_ms=record.duration_ms or 0,
        event_time=record.event_time,
        played=played,
    )
