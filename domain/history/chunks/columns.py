"""The columns of a chunk: which field each holds, and how its values are predicted from the columns before it.

Only the difference from the prediction is stored. Predictions and the numbers in them are part of the format: they may
be wrong for some records, which then take more bytes, but they must never change. A new field of the contract gets a
new column id and has a default in its Avro schema; its column is written last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from domain.history.chunks.numbers import Ints

_HEARTBEAT_MS = 30_000
_SEEK_MS = 500
CHUNK = "chunk"
"""The group of all records."""


class Groups:
    """Records grouped by equal numbers (a title, a device). Sorted once, for all columns that use the group."""

    def __init__(self, numbers: Ints) -> None:
        self._order = numbers.argsort(kind="stable")
        ordered = numbers[self._order]
        starting = np.ones(len(numbers), np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=starting[1:])
        self._starts = starting.nonzero()[0]
        self._group = starting.cumsum() - 1

    def differences(self, values: Ints) -> Ints:
        """Each value less the one before it in its group; a group's first value is kept."""
        return values - self.previous(values)

    def sums(self, values: Ints) -> Ints:
        """Undoes ``differences``."""
        ordered = values[self._order]
        totals = ordered.cumsum()
        before = totals[self._starts] - ordered[self._starts]
        return self._back(totals - before[self._group])

    def previous(self, values: Ints) -> Ints:
        """The value before each in its group, 0 for a group's first."""
        ordered = values[self._order]
        shifted = np.empty_like(ordered)
        shifted[1:] = ordered[:-1]
        shifted[self._starts] = 0
        return self._back(shifted)

    def _back(self, ordered: Ints) -> Ints:
        values = np.empty_like(ordered)
        values[self._order] = ordered
        return values


class DecodedColumns(dict[str, Ints]):
    """The columns written or read so far, by field: numbers, 0 for null; a text is its number in the column's table."""

    def __init__(self, count: int, first_started_at: int) -> None:
        super().__init__()
        self.count = count
        self[CHUNK] = np.zeros(count, np.int64)
        self["first_started_at"] = np.full(count, first_started_at, np.int64)
        self._groups: dict[str, Groups] = {}

    def groups(self, field: str) -> Groups:
        """The records grouped by equal values of a field."""
        if field not in self._groups:
            self._groups[field] = Groups(self[field])
        return self._groups[field]


class Kind(Enum):
    INTEGER = auto()
    OPTIONAL = auto()
    FLAG = auto()
    TEXT = auto()


def _zero(columns: DecodedColumns) -> Ints:
    return np.zeros_like(columns[CHUNK])


@dataclass(frozen=True, slots=True)
class Column:
    id: int
    field: str
    kind: Kind
    predicted: Callable[[DecodedColumns], Ints] = _zero
    by: str | None = None
    """The field whose equal values make a group; differences are stored within groups."""
    sparse: bool = False
    """Left out of a chunk in which no record has a value."""


def _watched(columns: DecodedColumns) -> Ints:
    """Watched since the title was last left, unless that was near its end or the member is further back now."""
    left_at = columns.groups("title_id").previous(columns["playhead_ms"])
    resumed = (left_at <= columns["playhead_ms"]) & (left_at * 100 < columns["duration_ms"] * 93)
    return columns["playhead_ms"] - np.where(resumed, left_at, 0)


def _seq(columns: DecodedColumns) -> Ints:
    """Heartbeats, and the events that the counters count."""
    beats = (columns["watched_ms"] + columns["paused_ms"] + columns["rebuffer_ms"]) // _HEARTBEAT_MS
    return beats + columns["seek_count"] + 2 * columns["rebuffer_count"]


def _event_time(columns: DecodedColumns) -> Ints:
    """The start, plus all time spent since."""
    spent = columns["startup_time_ms"] + columns["watched_ms"] + columns["paused_ms"] + columns["rebuffer_ms"]
    return columns["session_started_at"] + spent + _SEEK_MS * columns["seek_count"]


def _settled(columns: DecodedColumns) -> Ints:
    """As far before the end as was watched since."""
    return columns["playhead_ms"] - (columns["watched_ms"] - columns["settled_watched_ms"])


def _settled_or(field: str) -> Callable[[DecodedColumns], Ints]:
    """Usually the picture moved last at the settled position, if the chunk has such columns."""

    def predicted(columns: DecodedColumns) -> Ints:
        if "settled_seq" not in columns:
            return columns[field]
        return np.where(columns["settled_seq"] > 0, columns[f"settled_{field}"], columns[field])

    return predicted


def _moved(columns: DecodedColumns) -> Ints:
    """As long before the newest event as was watched since."""
    return columns["event_time"] - (columns["watched_ms"] - columns["moved_watched_ms"])


COLUMNS = (
    Column(1, "session_started_at", Kind.INTEGER, lambda columns: columns["first_started_at"], by=CHUNK),
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
    Column(15, "playhead_ms", Kind.INTEGER, lambda columns: columns["duration_ms"]),
    Column(16, "watched_ms", Kind.INTEGER, _watched),
    Column(17, "paused_ms", Kind.INTEGER),
    Column(18, "startup_time_ms", Kind.OPTIONAL),
    Column(19, "rebuffer_count", Kind.INTEGER),
    Column(20, "rebuffer_ms", Kind.INTEGER),
    Column(21, "seek_count", Kind.INTEGER),
    Column(22, "seq", Kind.INTEGER, _seq),
    Column(23, "event_time", Kind.INTEGER, _event_time),
    Column(24, "received_at", Kind.INTEGER, lambda columns: columns["event_time"]),
    Column(25, "bitrate_kbps", Kind.OPTIONAL),
    Column(26, "start_time", Kind.OPTIONAL, lambda columns: columns["session_started_at"], sparse=True),
    Column(27, "played_seq", Kind.OPTIONAL, lambda columns: columns["seq"], sparse=True),
    Column(28, "played_ms", Kind.OPTIONAL, lambda columns: columns["playhead_ms"], sparse=True),
    Column(29, "settled_seq", Kind.OPTIONAL, lambda columns: columns["seq"], sparse=True),
    Column(30, "settled_watched_ms", Kind.OPTIONAL, lambda columns: columns["watched_ms"], sparse=True),
    Column(31, "settled_ms", Kind.OPTIONAL, _settled, sparse=True),
    Column(32, "length_seq", Kind.OPTIONAL, lambda columns: columns["seq"], sparse=True),
    Column(33, "length_ms", Kind.OPTIONAL, lambda columns: columns["duration_ms"], sparse=True),
    Column(34, "moved_seq", Kind.OPTIONAL, _settled_or("seq"), sparse=True),
    Column(35, "moved_watched_ms", Kind.OPTIONAL, _settled_or("watched_ms"), sparse=True),
    Column(36, "moved_at", Kind.OPTIONAL, _moved, sparse=True),
)
