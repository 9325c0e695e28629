"""What the ledger reads, and where it keeps its state."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

import polars as pl

from domain.lake.keys import Chain
from domain.lake.ports import ObjectReader
from domain.ledger.state import ReconciliationState
from schemas.events import ViewingRecord


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


class LedgerStore(ObjectReader, Protocol):
    def entries(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, str]]:
        """Like ``list``, with a text for each key that changes with the object's body."""
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
    def records(self) -> Iterable[ViewingRecord]:
        """Every session of every profile, as members read it. Raises TransientError."""
        ...


class TableRows(NamedTuple):
    taken: Mapping[tuple[str, int], int]
    """The next offset that the table reads, by (topic id, partition)."""
    rows: pl.DataFrame
    """event_id, received_at in ms, digest: ``row_digest`` of the row. One row for each row of the table."""


class Tables(Protocol):
    def read(self, name: str) -> TableRows | None:
        """The table of a topic's records. None if there is no such table. Raises TransientError."""
        ...
