"""Which backends answer, and how far each consumer group is behind.

Measured here, because a worker that is dead or stuck cannot report it. What it committed can, together with the time at
which the log had grown beyond that offset.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from domain.metrics import BACKEND_UP, BACKEND_WRITABLE, GROUP_LAG, GROUP_LAG_SECONDS, Metrics
from domain.processes import consumer_groups
from schemas.errors import TransientError
from schemas.topics import Partition
from services.ops.offset_ages import OffsetAges

SLOW_S = 5.0
"""A backend that takes longer counts as down."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offsets:
    """Of every partition of our topics."""

    starts: Mapping[Partition, int]
    """First kept."""
    ends: Mapping[Partition, int]
    """Next to be written."""
    committed: Mapping[str, Mapping[Partition, int]]
    """By group: next to be read. Partitions without a commit are absent."""
    groups: Mapping[str, Collection[str]]
    """The topics of each consumer group."""

    def next_reads(self, group: str) -> dict[Partition, int]:
        """Of each partition of the group's topics. Without a commit: the first kept offset."""
        committed, topics = self.committed[group], self.groups[group]
        return {each: committed.get(each, self.starts.get(each, 0)) for each in self.ends if each[0] in topics}

    def lag(self, group: str) -> int:
        """Records that the group has yet to commit."""
        return sum(max(0, self.ends[partition] - offset) for partition, offset in self.next_reads(group).items())


@dataclass(frozen=True, slots=True)
class PipelineHealth:
    metrics: Metrics
    groups: Mapping[str, Collection[str]] = field(default_factory=consumer_groups)
    _ages: OffsetAges = field(default_factory=OffsetAges)

    async def probe(self, backend: str, question: Callable[[], Awaitable[T]]) -> T:
        """The answer. The backend is up when it answers, and down while it takes too long or is away.

        Raises TransientError. A question is awaited to its end: a backend that hangs is not asked twice at once.
        """
        asking = asyncio.ensure_future(question())
        try:
            await asyncio.wait([asking], timeout=SLOW_S)
            if not asking.done():
                self.metrics.set(BACKEND_UP, 0, backend=backend)
            answer = await asking
        except TransientError:
            self.metrics.set(BACKEND_UP, 0, backend=backend)
            raise
        finally:
            asking.cancel()
        self.metrics.set(BACKEND_UP, 1, backend=backend)
        return answer

    async def probe_writes(self, backend: str, write: Callable[[], Awaitable[None]]) -> None:
        """A full store may still answer, so it is asked to store something. Raises TransientError."""
        try:
            await write()
        except TransientError:
            self.metrics.set(BACKEND_WRITABLE, 0, backend=backend)
            raise
        self.metrics.set(BACKEND_WRITABLE, 1, backend=backend)

    def set_lag(self, at: int, offsets: Offsets) -> None:
        """``at``: milliseconds since the epoch."""
        self._ages.observe(at, offsets.ends)
        oldest = dict(offsets.ends)
        for group in self.groups:
            next_reads = offsets.next_reads(group)
            age = max((self._ages.age(*each, at) for each in next_reads.items()), default=0)
            self.metrics.set(GROUP_LAG, offsets.lag(group), group=group)
            self.metrics.set(GROUP_LAG_SECONDS, age / 1000, group=group)
            oldest |= {partition: min(oldest[partition], offset) for partition, offset in next_reads.items()}
        for partition, offset in oldest.items():
            self._ages.forget(partition, offset)

    def clear_lag(self) -> None:
        """Kafka is away: nobody knows how far the groups are."""
        for group in self.groups:
            self.metrics.set(GROUP_LAG, None, group=group)
            self.metrics.set(GROUP_LAG_SECONDS, None, group=group)
