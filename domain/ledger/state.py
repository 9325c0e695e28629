"""What the ledger knows of one partition: how far it has compared, what it counted by hour, what differs."""

import zlib
from dataclasses import dataclass, field, replace

import msgspec

HOUR_MS = 3_600_000
HOURS_KEPT = 35 * 24
"""The newest hours of a partition. Enough to look up the same hour four weeks ago."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between Kafka and the lake."""

    span: tuple[int, int]
    """The offsets that were compared together, start to before end. They have to be compared again."""
    start: int
    end: int
    """The offsets that differ lie within start to before end."""
    records: int
    what: str
    """A message that names the offsets, to be read after topic and partition."""

    @classmethod
    def of(cls, span: tuple[int, int], at: tuple[int, int], what: str) -> "Finding":
        """``what`` is wrong with the offsets ``at``, within a span that was compared together."""
        offsets = f"offset {at[0]} is" if at[1] - at[0] == 1 else f"offsets {at[0]} to {at[1] - 1} are"
        return cls(span, *at, at[1] - at[0], f"{offsets} {what}")


@dataclass(frozen=True, slots=True)
class HourCounts:
    """One partition's records that were received in one hour, counted in Kafka."""

    records: int
    """Valid ones."""
    dead_letters: int
    """Invalid ones, by the hour in which Kafka appended them."""
    start: int
    end: int
    """All of them lie within these offsets, start to before end, which are bounds of lake objects."""

    def plus(self, other: "HourCounts") -> "HourCounts":
        return HourCounts(
            self.records + other.records,
            self.dead_letters + other.dead_letters,
            min(self.start, other.start),
            max(self.end, other.end),
        )


@dataclass(frozen=True, slots=True)
class ReconciliationState:
    version: int = 0
    """Grows with every save."""
    position: int = 0
    """The next offset to compare."""
    newest_object: int = 0
    """Where the object starts that was compared last."""
    findings: tuple[Finding, ...] = ()
    hours: dict[int, HourCounts] = field(default_factory=dict)
    """By hour since the epoch."""

    def next_version(self) -> "ReconciliationState":
        """As it is stored when it replaces this one."""
        return replace(self, version=self.version + 1)

    def advance(self, position: int, newest_object: int, hours: dict[int, HourCounts]) -> "ReconciliationState":
        """The state after these counts, which lie between the old position and the new one."""
        sums = {hour: self.hours[hour].plus(counts) if hour in self.hours else counts for hour, counts in hours.items()}
        kept = dict(sorted({**self.hours, **sums}.items())[-HOURS_KEPT:])
        return replace(self, position=position, newest_object=newest_object, hours=kept)


def encode(state: ReconciliationState) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(state), 1)


def decode(stored: bytes) -> ReconciliationState:
    return msgspec.msgpack.decode(zlib.decompress(stored), type=ReconciliationState)
