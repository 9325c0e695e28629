"""Pages of a history, newest session first, and the chunks that a page needs.

Sessions are ordered by ``listed_at`` and id. Neither changes with a request, so a cursor stays valid while new events
arrive and records move from one store to the other.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from domain.history.merge import merge, newer
from domain.history.versions import Chunk, Position, position
from schemas.events import ViewingRecord


@dataclass(frozen=True, slots=True)
class Page:
    items: list[ViewingRecord]
    next_cursor: str | None
    """Pass it to get the next page; None on the last one."""
    complete: bool = True
    """False when a part of the history could not be read: items may be missing."""


_session = attrgetter("playback_session_id")


def newest_first(compressed: Sequence[ViewingRecord], live: Iterable[ViewingRecord]) -> list[ViewingRecord]:
    """The ``merge`` of one profile's records from both stores, newest session first.

    ``compressed`` is in the order of positions, as chunks are. The few live records are inserted, so tens of thousands
    of others are not sorted again.
    """
    history = list(compressed)
    for record in live:
        place = position(record)
        at = bisect_left(history, place, key=position)
        if at < len(history) and position(history[at]) == place:
            history[at] = newer(history[at], record)
        else:
            history.insert(at, record)
    if len(set(map(_session, history))) < len(history):  # a client gave one session two starts
        history = sorted(merge(history), key=position)
    history.reverse()
    return history


@dataclass(frozen=True, slots=True)
class PagePlan:
    """The part of a history that one read needs."""

    chunks: Sequence[Chunk]
    older_than: Position | None = None
    """Only sessions before it are shown; None: from the newest on."""
    newer_than: Position | None = None
    """Only sessions after it are read in full; None: down to the oldest."""

    def covers(self, place: Position) -> bool:
        return (self.older_than is None or place < self.older_than) and (
            self.newer_than is None or place > self.newer_than
        )


def plan_page(
    chunks: Sequence[Chunk],
    live: Iterable[ViewingRecord],
    limit: int,
    older_than: Position | None = None,
    since: int | None = None,
) -> PagePlan:
    """The newest chunks, as many as are needed to be certain of ``limit`` sessions and of whether older ones follow.

    ``since``: sessions that started before it (ms) are not needed. A listed chunk that is not needed proves
    that older sessions follow: it need not be read for that.

    A live row inside a chunk's range may be an old state of a session in that chunk, written by a replay. It does not
    count, and its chunk is read before the row is shown. A live row outside all ranges is a session that no chunk
    holds, unless a client gave it two starts.
    """
    firsts = [chunk.first for chunk in chunks]

    def is_alone(place: Position) -> bool:
        before = bisect_right(firsts, place)
        return before == 0 or place > chunks[before - 1].last

    shown = (place for place in map(position, live) if older_than is None or place < older_than)
    alone = sorted(place for place in shown if is_alone(place))
    needed: list[Chunk] = []
    certain = 0
    for chunk in reversed(chunks):
        if older_than is not None and chunk.first >= older_than:
            continue
        too_old = since is not None and chunk.last[0] < since
        if too_old or certain + len(alone) - bisect_right(alone, chunk.last) >= limit:
            return PagePlan(needed, older_than, newer_than=chunk.last)
        needed.append(chunk)
        if older_than is None or chunk.last < older_than:
            certain += chunk.records
    return PagePlan(needed, older_than, newer_than=None)


def page(history: Sequence[ViewingRecord], limit: int, plan: PagePlan, *, complete: bool = True) -> Page:
    """Up to ``limit`` sessions of the plan. ``history``: what could be read of its part, newest first."""
    rest = [record for record in history if plan.covers(position(record))]
    items = rest[:limit]
    if len(rest) > limit or (len(rest) == limit and plan.newer_than is not None):
        return Page(items, encode_cursor(position(items[-1])), complete)
    if plan.newer_than is None:
        return Page(items, None, complete)
    # Fewer than the metadata promised: a chunk was unreadable, or held an old state of a session with two starts.
    # The next page begins below the chunks of this one.
    below = min([plan.chunks[-1].first, *map(position, items[-1:])])
    return Page(items, encode_cursor(below), complete)


def encode_cursor(place: Position) -> str:
    return urlsafe_b64encode(f"{place[0]}/{place[1]}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Position:
    """Raises ValueError for a cursor that is not one of ours."""
    started_at, slash, session = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("/")
    if not slash:
        raise ValueError("not a cursor")
    return int(started_at), session
