"""How the pipeline is, seen from beside: which engine answers, and how far each consumer group is behind.

A worker that is dead or stands still cannot tell; what it committed, and when the log had grown beyond that, can.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from domain.metrics import BACKEND_UP, GROUP_LAG, GROUP_LAG_SECONDS, Metrics
from domain.processes import PROCESSES
from schemas.errors import TransientError
from services.ops.offset_ages import LogAges
from services.ports import EventLog, Partition

INTERVAL_S = 2.0
PATIENCE_S = 5.0
"""An engine that lets us wait longer counts as away."""
GROUPS = {process.group: frozenset(process.topics) for process in PROCESSES if process.group}
Ask = Callable[[], Awaitable[None]]
"""Raises TransientError while an engine is away."""


@dataclass(frozen=True, slots=True)
class PipelineHealth:
    event_log: EventLog
    metrics: Metrics
    now: Callable[[], int]
    _ages: LogAges = field(default_factory=LogAges)

    async def forever(self, engines: Mapping[str, Ask]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, ask in {**engines, "kafka": self.look}.items():
                tasks.create_task(self._watch(name, ask))

    async def look(self) -> None:
        """How far the groups are. TransientError while Kafka is away."""
        try:
            starts, ends = await asyncio.to_thread(self.event_log.offsets)
            committed = {group: await asyncio.to_thread(self.event_log.committed, group, ends) for group in GROUPS}
        except TransientError:
            for group in GROUPS:
                self.metrics.set(GROUP_LAG, None, group=group)
                self.metrics.set(GROUP_LAG_SECONDS, None, group=group)
            raise
        now = self.now()
        self._ages.saw(now, ends)
        oldest = dict(ends)
        for group, topics in GROUPS.items():
            places = {at: committed[group].get(at, starts.get(at, 0)) for at in ends if at[0] in topics}
            self._tell(group, places, ends, now)
            oldest |= {at: min(oldest[at], place) for at, place in places.items()}
        for at, place in oldest.items():
            self._ages.forget(at, place)

    def _tell(self, group: str, places: Mapping[Partition, int], ends: Mapping[Partition, int], now: int) -> None:
        records = sum(max(0, ends[at] - place) for at, place in places.items())
        age = max((self._ages.age(at, place, now) for at, place in places.items()), default=0)
        self.metrics.set(GROUP_LAG, records, group=group)
        self.metrics.set(GROUP_LAG_SECONDS, age / 1000, group=group)

    async def _watch(self, engine: str, ask: Ask) -> None:
        while True:
            await self.ask(engine, ask)
            await asyncio.sleep(INTERVAL_S)

    async def ask(self, engine: str, ask: Ask) -> None:
        """One question, waited for to its end: an engine that hangs is not asked twice at once."""
        asking = asyncio.ensure_future(ask())
        try:
            await asyncio.wait([asking], timeout=PATIENCE_S)
            if not asking.done():
                self.metrics.set(BACKEND_UP, 0, backend=engine)
            await asking
            self.metrics.set(BACKEND_UP, 1, backend=engine)
        except TransientError:
            self.metrics.set(BACKEND_UP, 0, backend=engine)
        finally:
            asking.cancel()
