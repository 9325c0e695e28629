"""The columns of a chunk: which field each holds, and what its values are expected to be.

Stored is only how far values are from what the columns before it say. Expectations and the numbers in them are part
of the format: they may be wrong for some records, which then take more bytes, but they must never change. A new
field of the contract gets a new column id and has a default in its Avro schema; its column is written last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from domain.history.chunks.known import CHUNK, Known
from domain.history.chunks.numbers import Ints

_HEARTBEAT_MS = 30_000
_SEEK_MS = 500


class Kind(Enum):
    INTEGER = auto()
    OPTIONAL = auto()
    FLAG = auto()
    TEXT = auto()


def _nothing(known: Known) -> Ints:
    return np.zeros_like(known[CHUNK])


@dataclass(frozen=True, slots=True)
class Column:
    id: int
    field: str
    kind: Kind
    expected: Callable[[Known], Ints] = _nothing
    by: str | None = None
    """The field whose equal values make a group, within which differences are stored."""


def _watched(known: Known) -> Ints:
    """From where the title was left, unless that was near its end or the member is further back now."""
    left_at = known.groups("title_id").previous(known["playhead_ms"])
    resumed = (left_at <= known["playhead_ms"]) & (left_at * 100 < known["duration_ms"] * 93)
    return known["playhead_ms"] - np.where(resumed, left_at, 0)


def _seq(known: Known) -> Ints:
    """Heartbeats, and the events that the counters tell of."""
    beats = (known["watched_ms"] + known["paused_ms"] + known["rebuffer_ms"]) // _HEARTBEAT_MS
    return beats + known["seek_count"] + 2 * known["rebuffer_count"]


def _event_time(known: Known) -> Ints:
    """Where all the time went."""
    spent = known["startup_time_ms"] + known["watched_ms"] + known["paused_ms"] + known["rebuffer_ms"]
    return known["session_started_at"] + spent + _SEEK_MS * known["seek_count"]


COLUMNS = (
    Column(1, "session_started_at", Kind.INTEGER, lambda known: known["first_started_at"], by=CHUNK),
    Column(2, "playback_session_id", Kind.TEXT),
    Column(3, "title_id", Kind.TEXT),
    Column(4, "device_id", Kind.TEXT),
    Column(5, "title_class", Kind.TEXT, by="title_id"),
    Column(6, "event_type", Kind.TEXT),
    Column(7, "player_state", Kind.TEXT),
    Column(8, "error_code", Kind.TEXT),
    Column(9, "error_fatal", Kind.FLAG),
    Column(10, "recommendation_id", Kind.TEXT),
    Column(11, "device_type", Kind.TEXT, by="device_id"),
    Column(12, "app_version", Kind.TEXT, by="device_id"),
    Column(13, "country", Kind.TEXT),
    Column(14, "duration_ms", Kind.OPTIONAL, by="title_id"),
    Column(15, "playhead_ms", Kind.INTEGER, lambda known: known["duration_ms"]),
    Column(16, "watched_ms", Kind.INTEGER, _watched),
    Column(17, "paused_ms", Kind.INTEGER),
    Column(18, "startup_time_ms", Kind.OPTIONAL),
    Column(19, "rebuffer_count", Kind.INTEGER),
    Column(20, "rebuffer_ms", Kind.INTEGER),
    Column(21, "seek_count", Kind.INTEGER),
    Column(22, "seq", Kind.INTEGER, _seq),
    Column(23, "event_time", Kind.INTEGER, _event_time),
    Column(24, "received_at", Kind.INTEGER, lambda known: known["event_time"]),
    Column(25, "bitrate_kbps", Kind.OPTIONAL),
)
