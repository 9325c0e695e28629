"""Pages of a history, newest session first, and which chunks a page needs.

Sessions are ordered by when they started and their id: neither ever changes, so a page's cursor stays right while
new events come in and records move from one store to the other.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from domain.history.merge import merge
from domain.history.order import newer
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
    """One profile's records of both stores as one history: what ``merge`` makes of them, the newest session first.

    ``compressed`` is in the order of positions, as chunks are: a few live records are put in their places, and tens of
    thousands of others are not sorted again.
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
class Cut:
    """The part of a history that one page needs."""

    chunks: list[Chunk]
    older_than: Position | None
    """Only sessions before it are on the page; None: from the newest on."""
    newer_than: Position | None
    """Only sessions after it were read in full; None: down to the oldest."""


def cut(chunks: Sequence[Chunk], live: Iterable[ViewingRecord], limit: int, cursor: str | None = None) -> Cut:
    """The newest chunks, as many as are needed to be sure of more than ``limit`` sessions.

    A live row inside a chunk's range may be an old state of a session that is in the chunk, left by a replay: it
    counts for nothing, and that chunk is among those that are read before the row is shown. Outside of all ranges a
    live row's session can't be in any chunk, but for one with two starts.

    ValueError for a cursor that isn't one of ours.
    """
    older_than = decode_cursor(cursor) if cursor else None
    places = [position(record) for record in live]
    alone = [
        place
        for place in places
        if (older_than is None or place < older_than) and not any(chunk.covers(place) for chunk in chunks)
    ]
    needed: list[Chunk] = []
    certain = 0
    for chunk in reversed(chunks):
        if older_than is not None and chunk.first >= older_than:
            continue
        if certain + sum(place > chunk.last for place in alone) > limit:
            return Cut(needed, older_than, newer_than=chunk.last)
        needed.append(chunk)
        if older_than is None or chunk.last < older_than:
            certain += chunk.records
    return Cut(needed, older_than, newer_than=None)


def page(history: Sequence[ViewingRecord], limit: int, part: Cut, *, complete: bool = True) -> Page:
    """Up to ``limit`` sessions of the cut; ``history`` holds, newest first, what could be read of it."""
    rest = [
        record
        for record in history
        if (part.older_than is None or position(record) < part.older_than)
        and (part.newer_than is None or position(record) > part.newer_than)
    ]
    items = rest[:limit]
    if len(rest) > limit:
        return Page(items, encode_cursor(position(items[-1])), complete)
    if part.newer_than is None:
        return Page(items, None, complete)
    # Fewer than the metadata promised: a chunk was unreadable, or held an old state of a session with two starts. Go on
    # below the chunks that were needed.
    below = min([part.chunks[-1].first, *map(position, items[-1:])])
    return Page(items, encode_cursor(below), complete)


def page_of(history: Sequence[ViewingRecord], limit: int, cursor: str | None = None) -> Page:
    """A page of a whole history that is at hand, newest first. ValueError for a cursor that isn't one of ours."""
    return page(history, limit, cut((), (), limit, cursor))


def encode_cursor(place: Position) -> str:
    return urlsafe_b64encode(f"{place[0]}/{place[1]}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Position:
    started_at, slash, session = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("/")
    if not slash:
        raise ValueError("not a cursor")
    return int(started_at), session
