"""The places that the ledger reads, each where its data live."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol


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
