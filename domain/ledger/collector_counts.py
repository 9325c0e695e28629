"""How many events the collectors accepted in each hour, by their own counters: a hint next to the ledger.

Events that a collector accepted between the last reading of its counters and its death are missing. Events around the
full hour may count for either hour.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from domain.clock import Clock
from domain.ledger.state import HOUR_MS


@dataclass(frozen=True, slots=True)
class Counters:
    """One collector's counters."""

    collector: str
    """Names one run of one process."""
    began_at: int
    """Milliseconds since the epoch."""
    accepted: Mapping[str, int]
    """Events by family since then."""


@dataclass(frozen=True, slots=True)
class CollectorCount:
    """A counter within an hour: its first value (the last one of the hour before, if that is known), and its last."""

    hour: int
    collector: str
    family: str
    first: int
    last: int


class Collectors(Protocol):
    def counters(self) -> Sequence[Counters]:
        """Of the collectors that answer."""
        ...


class CollectorCountStore(Protocol):
    """All raise TransientError."""

    def counts(self, hour: int) -> Sequence[CollectorCount]: ...

    def save_counts(self, rows: Iterable[CollectorCount]) -> None: ...


class CollectorCountRecorder:
    def __init__(self, collectors: Collectors, store: CollectorCountStore, now: Clock) -> None:
        self._collectors = collectors
        self._store = store
        self._now = now
        self._newest: dict[tuple[str, str], CollectorCount] | None = None
        """By collector and family. None before the first run."""

    def run_once(self) -> None:
        """TransientError while the store is unreachable."""
        hour = self._now() // HOUR_MS
        if self._newest is None:
            stored = [row for each in (hour - 1, hour) for row in self._store.counts(each)]
            self._newest = {(row.collector, row.family): row for row in stored}
        changed = [
            row
            for counters in self._collectors.counters()
            for family, total in counters.accepted.items()
            if (row := self._row(hour, counters, family, total)) != self._newest.get((row.collector, family))
        ]
        self._store.save_counts(changed)
        self._newest |= {(row.collector, row.family): row for row in changed}

    def _row(self, hour: int, counters: Counters, family: str, total: int) -> CollectorCount:
        before = (self._newest or {}).get((counters.collector, family))
        if before and before.hour == hour:
            return replace(before, last=total)
        if before:
            return CollectorCount(hour, counters.collector, family, before.last, total)
        first = 0 if counters.began_at // HOUR_MS == hour else total
        return CollectorCount(hour, counters.collector, family, first, total)


def by_family(rows: Iterable[CollectorCount]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.family] = sums.get(row.family, 0) + row.last - row.first
    return sums
