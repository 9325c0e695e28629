"""What the collectors accepted by hour, by their own counters: an indicator beside the ledger, no side of it.

What a collector accepted between the last look at it and its death is not in here, and what it accepts around the full
hour may count for either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from domain.clock import Clock
from domain.ledger.state import HOUR_MS


@dataclass(frozen=True, slots=True)
class Counters:
    """One collector's word."""

    collector: str
    """One life of one process."""
    began_at: int
    """Milliseconds since the epoch."""
    accepted: Mapping[str, int]
    """Events by family since then."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A counter within an hour: at the first look, or where the hour before left it, and at the last."""

    hour: int
    collector: str
    family: str
    first: int
    last: int


class Collectors(Protocol):
    def counters(self) -> Sequence[Counters]:
        """Of those that answer."""
        ...


class AcceptedStore(Protocol):
    """All raise TransientError."""

    def accepted(self, hour: int) -> Sequence[Accepted]: ...

    def keep(self, rows: Iterable[Accepted]) -> None: ...


class AcceptedWatch:
    def __init__(self, collectors: Collectors, store: AcceptedStore, now: Clock) -> None:
        self._collectors = collectors
        self._store = store
        self._now = now
        self._newest: dict[tuple[str, str], Accepted] | None = None
        """By collector and family; None before the first look."""

    def look(self) -> None:
        """TransientError while the store is away."""
        hour = self._now() // HOUR_MS
        if self._newest is None:
            stored = [row for each in (hour - 1, hour) for row in self._store.accepted(each)]
            self._newest = {(row.collector, row.family): row for row in stored}
        changed = [
            row
            for counters in self._collectors.counters()
            for family, total in counters.accepted.items()
            if (row := self._row(hour, counters, family, total)) != self._newest.get((row.collector, family))
        ]
        self._store.keep(changed)
        self._newest |= {(row.collector, row.family): row for row in changed}

    def _row(self, hour: int, counters: Counters, family: str, total: int) -> Accepted:
        before = (self._newest or {}).get((counters.collector, family))
        if before and before.hour == hour:
            return replace(before, last=total)
        if before:
            return Accepted(hour, counters.collector, family, before.last, total)
        return Accepted(hour, counters.collector, family, 0 if counters.began_at // HOUR_MS == hour else total, total)


def by_family(rows: Iterable[Accepted]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.family] = sums.get(row.family, 0) + row.last - row.first
    return sums
