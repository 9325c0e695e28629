"""What the operations service needs from outside. Adapters in ``infra`` and fakes in tests satisfy these by shape."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.history.reading import HistoryReader
from domain.ledger.state import ReconciliationState
from domain.quality.ports import Minutes
from domain.recommendations.ports import Recommendations
from domain.support.ports import SupportReads
from schemas.events import Record
from schemas.topics import Partition


class LedgerReader(Protocol):
    """The continuous ledger's states."""

    async def state(self, topic_id: str, partition: int) -> ReconciliationState:
        """An empty one where there is none yet. Raises TransientError."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept in Cassandra."""

    history: HistoryReader
    recommendations: Recommendations
    support: SupportReads
    minutes: Minutes
    ledger: LedgerReader


Connect = Callable[[], Awaitable[Stores]]
"""Raises TransientError while Cassandra cannot be reached."""


class EventLog(Protocol):
    """Kafka, read without joining a group or committing. Calls block; all raise TransientError."""

    def offsets(self) -> tuple[Mapping[Partition, int], Mapping[Partition, int]]:
        """First kept and next offset of every partition of our topics."""
        ...

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """Next offset that the group will read; partitions without a commit are absent."""
        ...

    def topic_ids(self) -> Mapping[str, str]:
        """Kafka's id of each of our topics."""
        ...

    def newest(self, topic: str, count: int) -> Sequence[tuple[int, Record]]:
        """Up to ``count`` newest readable records of each partition with their append times, newest first."""
        ...
