"""What the ledger reads, and where it keeps its state."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from domain.lake.keys import Chain
from domain.ledger.state import ReconciliationState


class RecordLog(Protocol):
    """Kafka's topics, read without a consumer group. All raise TransientError."""

    def spans(self, topics: Iterable[str]) -> list[tuple[str, str, int, int, int]]:
        """(topic, topic id, partition, first offset, next offset) of every partition of these topics."""
        ...

    def records(
        self, topic: str, partition: int, start: int, end: int
    ) -> Iterator[list[tuple[int, bytes | None, int]]]:
        """(offset, value, when Kafka appended it in ms) of the records from start to before end, in batches."""
        ...

    def since(self, topic: str, appended_ms: int) -> list[tuple[int, int, int]]:
        """(partition, first offset appended at that time or later, next offset) of every partition."""
        ...


class StateStore(Protocol):
    """Where the continuous ledger keeps its state. All raise TransientError."""

    def load(self, chain: Chain) -> ReconciliationState:
        """The newest state that was saved. An empty one if there is none."""
        ...

    def save(self, chain: Chain, state: ReconciliationState) -> bool:
        """Replace the state that has the same version. The stored one gets the next version.

        False if another ledger has saved one since: load again. After a TransientError it may be saved or not.
        """
        ...


class History(Protocol):
    def newest_seqs(self) -> Iterable[tuple[str, int]]:
        """(playback session, seq) of every session of every profile. Raises TransientError."""
        ...


class Tables(Protocol):
    def read(self, family: str) -> tuple[Mapping[tuple[str, int], int], Sequence[str]] | None:
        """The next offset of a family's table by (topic id, partition), and the event id of each of its rows.

        None if there is no such table. Raises TransientError.
        """
        ...
