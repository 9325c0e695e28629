"""What the ledger knows of one partition: how far it has compared, what it counted by hour, what differs."""

import zlib
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

HOUR_MS = 3_600_000
HOURS_KEPT = 35 * 24
"""The newest of a partition: long enough to look at the same hour four weeks ago."""


class Place(Protocol):
    """What an account is about: one partition of one incarnation of a topic. A lake's ``Chain`` is one."""

    @property
    def topic(self) -> str: ...
    @property
    def topic_id(self) -> str: ...
    @property
    def partition(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that differs between Kafka and the lake."""

    span: tuple[int, int]
    """The offsets that were compared at once, start to before end: what has to be compared again."""
    start: int
    end: int
    """The offsets that differ lie within start to before end."""
    records: int
    what: str
    """For a person, after topic and partition; it names the offsets."""


@dataclass(frozen=True, slots=True)
class HourCounts:
    """One partition's records that were received in one hour, as Kafka has them."""

    records: int
    """Valid ones."""
    dead_letters: int
    """Invalid ones, by the hour in which Kafka appended them."""
    start: int
    end: int
    """All of them lie within these offsets, start to before end, where objects of the lake begin and end."""

    def plus(self, other: "HourCounts") -> "HourCounts":
        return HourCounts(
            self.records + other.records,
            self.dead_letters + other.dead_letters,
            min(self.start, other.start),
            max(self.end, other.end),
        )


@dataclass(frozen=True, slots=True)
class Account:
    version: int = 0
    """Grows with every save."""
    position: int = 0
    """The next offset to compare."""
    newest_object: int = 0
    """Where the object starts that was compared last."""
    findings: tuple[Finding, ...] = ()
    hours: dict[int, HourCounts] = field(default_factory=dict)
    """By hour since the epoch."""

    def followed(self) -> "Account":
        """As it is stored in the place of this one."""
        return replace(self, version=self.version + 1)

    def passed(self, position: int, newest_object: int, hours: dict[int, HourCounts]) -> "Account":
        """The account after these counts, which lie between the position and the new one."""
        sums = {hour: self.hours[hour].plus(counts) if hour in self.hours else counts for hour, counts in hours.items()}
        kept = dict(sorted({**self.hours, **sums}.items())[-HOURS_KEPT:])
        return replace(self, position=position, newest_object=newest_object, hours=kept)


def encoded(account: Account) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(account), 1)


def decoded(state: bytes) -> Account:
    return msgspec.msgpack.decode(zlib.decompress(state), type=Account)
