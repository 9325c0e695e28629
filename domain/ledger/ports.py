"""The places that the ledger reads, each where its data live."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from domain.ledger.state import Account, Place


class Span(NamedTuple):
    """The offsets that one partition of Kafka held at one moment: ``start`` to before ``end``."""

    topic: str
    topic_id: str
    partition: int
    start: int
    end: int


class KafkaLog(Protocol):
    def spans(self, topics: Iterable[str]) -> list[tuple[str, str, int, int, int]]:
        """Every partition of these topics, as the fields of a ``Span``. Raises TransientError."""
        ...

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[list[tuple[int, bytes | None]]]:
        """(offset, value) of the records from start to before end, in batches. Raises TransientError on silence."""
        ...


class RecordLog(Protocol):
    """Kafka as the continuous ledger reads it: now and then, a few records. All raise TransientError."""

    def spans(self, topics: Iterable[str]) -> list[tuple[str, str, int, int, int]]: ...

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[list[tuple[int, bytes | None]]]: ...

    def records(
        self, topic: str, partition: int, start: int, end: int
    ) -> Iterator[list[tuple[int, bytes | None, int]]]:
        """(offset, value, when Kafka appended it in ms) of the records from start to before end, in batches."""
        ...

    def since(self, topic: str, appended_ms: int) -> list[tuple[int, int, int]]:
        """(partition, first offset appended at that time or later, next offset) of every partition."""
        ...


class Accounts(Protocol):
    """Where the continuous ledger keeps what it knows. All raise TransientError."""

    def load(self, of: Place) -> Account:
        """The newest account that was saved; an empty one where none was."""
        ...

    def save(self, of: Place, account: Account) -> bool:
        """Keep the account in the place of the one whose version it has; its own is one higher.

        False if somebody else has saved one since: load again. After a TransientError it may be kept or not.
        """
        ...


class History(Protocol):
    def newest_seqs(self) -> Iterable[tuple[str, int]]:
        """(playback session, seq) of every session of every profile. Raises TransientError."""
        ...


class Tables(Protocol):
    def read(self, family: str) -> tuple[Mapping[tuple[str, int], int], Sequence[str]] | None:
        """How far a family's table has come, by (topic id, partition), and the event id of its every row.

        None if there is no such table. Raises TransientError.
        """
        ...
