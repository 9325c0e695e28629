"""The network between a client and the collector: batching, delay, duplicates, reordering, loss, corruption.

A client sends its events every few seconds; a request takes about 80 ms (lognormal). In addition each event has at most
one fault, with the probabilities of ``Faults``. Lateness applies to whole visits, watched offline.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

import msgspec

from producers.simulator.catalogue import MINUTE_MS
from producers.simulator.devices import HOUR_MS
from producers.simulator.visits import Span, Visit
from schemas.events import Event

FLUSH_MS = 4_000


@dataclass(frozen=True, slots=True)
class Faults:
    """Fractions of the events, each 0-1."""

    late: float = 0.02
    """Recorded offline, sent more than an hour after the visit."""
    duplicated: float = 0.02
    """Sent again under the same id, because the reply was lost."""
    reordered: float = 0.02
    """Delayed by 1.3 to 6 heartbeats, so that later events overtake it."""
    corrupt: float = 0.001
    """Arrives corrupted, so that it breaks the contract."""
    lost: float = 0.002
    """Never sent: a gap in seq."""

    def __post_init__(self) -> None:
        if min(self.exclusive) < 0 or not 0 <= self.late <= 1 or sum(self.exclusive) > 1:
            raise ValueError(f"shares must be between 0 and 1 and add up to at most 1: {self}")

    @classmethod
    def with_overrides(cls, changes: str) -> "Faults":
        """``late=0.1,lost=0``: the defaults with these overrides. Raises ValueError for a bad name or number."""
        fractions: dict[str, float] = {}
        for change in filter(None, changes.split(",")):
            name, _, fraction = map(str.strip, change.partition("="))
            if name not in cls.__dataclass_fields__:
                raise ValueError(f"unknown fault {name!r}; expected one of {', '.join(cls.__dataclass_fields__)}")
            fractions[name] = float(fraction)
        return cls(**fractions)

    @property
    def exclusive(self) -> tuple[float, float, float, float]:
        return self.duplicated, self.reordered, self.corrupt, self.lost


class Delivery(NamedTuple):
    received_at: int
    number: int
    """Increases within a run: keeps arrivals of one millisecond in order."""
    event: Event
    """With the times at arrival."""
    clock_ahead_ms: int
    corruption: int | None
    """None: arrives intact. Otherwise the number that chooses the corruption."""


def arrivals(visits: Iterator[Visit], faults: Faults, span: Span, seed: object) -> Iterator[Delivery]:
    """Everything that arrives within the span, in order of arrival. ``visits`` must be ordered by start."""
    rng = Random(f"{seed}/network")
    pending: list[Delivery] = []
    number = 0
    for visit in visits:
        while pending and pending[0].received_at <= visit.began_at:
            yield heapq.heappop(pending)
        for received_at, event, corruption in _deliver(visit, faults, span.heartbeat_ms, rng):
            if received_at <= span.until:
                number += 1
                delivery = Delivery(received_at, number, event, visit.clock_ahead_ms, corruption)
                heapq.heappush(pending, delivery)
    while pending:
        yield heapq.heappop(pending)


def _deliver(visit: Visit, faults: Faults, heartbeat_ms: int, rng: Random) -> Iterator[tuple[int, Event, int | None]]:
    ahead = visit.clock_ahead_ms
    twice, overtaken, broken, lost = _thresholds(replace(faults, lost=max(faults.lost, visit.loses)))
    online_at = 0
    if rng.random() < faults.late:
        online_at = visit.events[-1].client_time + round(rng.uniform(1.1, 20) * HOUR_MS)
    sent_at = delay = 0
    for event in visit.events:
        if event.client_time > sent_at:  # it missed the last request
            sent_at = max(event.client_time + rng.randrange(FLUSH_MS), online_at)
            delay = _delay(rng)
        fate = rng.random()
        if fate >= lost:
            yield _stamp(event, sent_at, ahead, delay)
        elif fate < twice:
            yield _stamp(event, sent_at, ahead, delay)
            again = round(rng.uniform(5_000, MINUTE_MS) if rng.random() < 0.9 else rng.uniform(MINUTE_MS, HOUR_MS))
            yield _stamp(event, sent_at + again, ahead, _delay(rng))
        elif fate < overtaken:
            held_up = round(rng.uniform(1.3, 6) * heartbeat_ms)
            yield _stamp(event, sent_at, ahead, delay + held_up)
        elif fate < broken:
            received_at, stamped, _ = _stamp(event, sent_at, ahead, delay)
            yield received_at, stamped, rng.getrandbits(30)


def _thresholds(faults: Faults) -> tuple[float, float, float, float]:
    twice, overtaken, broken, lost = faults.exclusive
    return twice, twice + overtaken, twice + overtaken + broken, twice + overtaken + broken + lost


def _delay(rng: Random) -> int:
    return 5 + round(80 * rng.lognormvariate(0, 0.6))


def _stamp(event: Event, sent_at: int, clock_ahead_ms: int, delay: int) -> tuple[int, Event, None]:
    """The times as the collector would write them; see schemas/avro for what each means."""
    received_at = sent_at - clock_ahead_ms + delay
    event_time = received_at - (sent_at - event.client_time)
    stamped = msgspec.structs.replace(event, sent_at=sent_at, received_at=received_at, event_time=event_time)
    return received_at, stamped, None
