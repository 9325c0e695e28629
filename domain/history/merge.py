"""Which of two states of a session is newer, and the union of viewing records by session.

States are ordered by (seq, received_at, encoded value), and so is each kept value by itself. Cassandra, ``merge`` and
the batch of a worker all use this order, so it does not matter which of them sees an event first.

``merge`` is commutative, associative and idempotent: its sources may overlap, repeat and come in any order.
"""

import struct
from collections.abc import Iterable

from domain.history.kept import KEPT_FIELDS, keep
from schemas.events import ViewingRecord

KEY = ("profile_id", "playback_session_id")
VALUE_FIELDS: tuple[str, ...] = tuple(
    name for name in ViewingRecord.__struct_fields__ if name not in (*KEY, *KEPT_FIELDS)
)
"""Fields of the stored value, in order: ``received_at`` first, so a later delivery has the larger bytes."""
INTS = frozenset({"seq", "rebuffer_count", "seek_count", "bitrate_kbps"})
NULL = b"\xff\xff\xff\xff"


def merge(*sources: Iterable[ViewingRecord]) -> list[ViewingRecord]:
    """One record per (profile, session), in the order of that key."""
    newest: dict[tuple[str, str], ViewingRecord] = {}
    for source in sources:
        for record in source:
            key = (record.profile_id, record.playback_session_id)
            other = newest.get(key)
            newest[key] = record if other is None else newer(other, record)
    return [newest[key] for key in sorted(newest)]


def newer(one: ViewingRecord, other: ViewingRecord) -> ViewingRecord:
    """The newer of two states of one session, with what both have kept."""
    order, other_order = (one.seq, one.received_at), (other.seq, other.received_at)
    is_newer = encoded(one) >= encoded(other) if order == other_order else order > other_order
    return keep(one, other) if is_newer else keep(other, one)


def encoded(record: ViewingRecord) -> bytes:
    """The value as Cassandra holds it: each field as its length (32 bits, -1 for null) and its bytes.

    Of equal write timestamps, Cassandra keeps the larger bytes.
    """
    return b"".join(_field(name, getattr(record, name)) for name in VALUE_FIELDS)


def _field(name: str, value: int | str | bool | None) -> bytes:
    if value is None:
        return NULL
    if isinstance(value, bool):
        body = struct.pack(">?", value)
    elif isinstance(value, int):
        body = struct.pack(">i" if name in INTS else ">q", value)
    else:
        body = value.encode()
    return struct.pack(">i", len(body)) + body
