"""Which of two states of a session is the newer one.

The order is (write timestamp, received_at, encoded value). Cassandra, ``merge`` and the batch of a worker all use
it, so it never matters who sees which event first.
"""

import struct

from schemas.events import ViewingRecord

KEY = ("profile_id", "playback_session_id")
VALUE_FIELDS: tuple[str, ...] = tuple(name for name in ViewingRecord.__struct_fields__ if name not in KEY)
"""Fields of the stored value, in its order: ``received_at`` first, so that a later delivery has the larger bytes."""
INTS = frozenset({"seq", "rebuffer_count", "seek_count", "bitrate_kbps"})
NULL = b"\xff\xff\xff\xff"


def newer(one: ViewingRecord, other: ViewingRecord) -> ViewingRecord:
    """Of two states of one session, the one that stays."""
    order = (one.write_timestamp, one.received_at)
    other_order = (other.write_timestamp, other.received_at)
    if order == other_order:
        return one if encoded(one) >= encoded(other) else other
    return one if order > other_order else other


def encoded(record: ViewingRecord) -> bytes:
    """The value as Cassandra holds it: each field as its length (32 bits, -1 for null) and its bytes.

    Cassandra settles equal write timestamps by comparing these bytes.
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
