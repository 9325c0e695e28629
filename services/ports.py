"""What the services ask of the outside. Adapters in ``infra`` satisfy these by shape; tests by fakes."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.history.paging import Page
from domain.history.reading import FullHistory
from domain.ledger.state import Account
from domain.recommendations.ports import Recommendations
from domain.support.ports import SupportReads
from schemas.events import Record

Partition = tuple[str, int]
"""(topic, partition number)."""


class History(Protocol):
    """Both stores merged, newest session first; all raise TransientError."""

    async def page(self, profile_id: str, limit: int, cursor: str | None) -> Page:
        """ValueError for a cursor that is not one of ours."""
        ...

    async def read_all(self, profile_id: str) -> FullHistory: ...

    def export(self, profile_id: str) -> AsyncIterator[Page]:
        """The whole history, page by page."""
        ...


@dataclass(frozen=True, slots=True)
class MemberReads:
    """All that is kept of members."""

    history: History
    recommendations: Recommendations
    support: SupportReads


class LedgerReader(Protocol):
    """The continuous ledger's accounts."""

    async def account(self, topic_id: str, partition: int) -> Account:
        """An empty one where there is none yet. Raises TransientError."""
        ...


class EventLog(Protocol):
    """Kafka as seen from beside it: no group is joined, nothing is committed. Calls block; all raise TransientError."""

    def offsets(self) -> tuple[Mapping[Partition, int], Mapping[Partition, int]]:
        """First kept and next offset of every partition of our topics."""
        ...

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """Next offset that the group will read; partitions without a commit are absent."""
        ...

    def topic_ids(self) -> Mapping[str, str]:
        """Kafka's own id of each of our topics."""
        ...

    def newest(self, topic: str, count: int) -> Sequence[tuple[int, Record]]:
        """Up to ``count`` newest readable records of each partition with their append times, newest first."""
        ...


class ObjectStore(Protocol):
    """The lake's bucket. Calls block, and raise TransientError, or KeyError for a key that is not there."""

    def list(self, prefix: str, start_after: str) -> Iterator[str]: ...

    def head(self, key: str) -> Mapping[str, str]:
        """The object's own metadata."""
        ...

    def get(self, key: str) -> bytes: ...
