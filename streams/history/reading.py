"""A profile's viewing history for readers: both stores merged, newest first, page by page.

``viewing_history`` is the one place that knows where records come from. Sessions are ordered by when they started
and their id: neither ever changes, so a page's cursor stays right while new events come in.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.events import ViewingRecord
from streams.history.merge import merge


@dataclass(frozen=True, slots=True)
class Page:
    items: list[ViewingRecord]
    next_cursor: str | None
    """Pass it to get the next page; None on the last one."""


def viewing_history(live: Iterable[ViewingRecord], *compressed: Iterable[ViewingRecord]) -> list[ViewingRecord]:
    """One profile's sessions, newest first."""
    return sorted(merge(live, *compressed), key=_position, reverse=True)


def page(history: Sequence[ViewingRecord], limit: int, cursor: str | None = None) -> Page:
    """Up to ``limit`` sessions after the cursor. ``ValueError`` for a cursor that isn't one of ours."""
    after = _decode(cursor) if cursor else None
    rest = [record for record in history if after is None or _position(record) < after]
    items = rest[:limit]
    return Page(items, _encode(_position(items[-1])) if len(rest) > limit else None)


def _position(record: ViewingRecord) -> tuple[int, str]:
    return record.session_started_at, record.playback_session_id


def _encode(position: tuple[int, str]) -> str:
    return urlsafe_b64encode(f"{position[0]}/{position[1]}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[int, str]:
    started_at, slash, session = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("/")
    if not slash:
        raise ValueError("not a cursor")
    return int(started_at), session
