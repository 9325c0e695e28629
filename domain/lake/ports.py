"""What the lake needs from outside: a log to read, a store to write, a topic for dead letters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from schemas.batch import DecodedBatch
from schemas.events import DeadLetter
from schemas.topics import Partition

Resolve = Callable[[int], dict[str, Any]]
"""Schema id to writer's schema. Raises InvalidEvent("unknown_schema") or TransientError."""


class Record(Protocol):
    """One record of the log. confluent-kafka's Message has this shape, so records are not copied."""

    def offset(self) -> int: ...

    def timestamp(self) -> tuple[int, int]:
        """(kind, milliseconds): when the broker appended it."""
        ...

    def key(self) -> bytes | None: ...

    def value(self) -> bytes | None: ...

    def __len__(self) -> int:
        """Bytes of the value."""
        ...


class PollResult(Protocol):
    """What one poll returned, to be applied in this order."""

    @property
    def revoked(self) -> Sequence[Partition]: ...

    @property
    def assigned(self) -> Sequence[Partition]: ...

    @property
    def records(self) -> Mapping[Partition, Sequence[Record]]:
        """If the next record has left the log, these start with the first one it still has."""
        ...


class Log(Protocol):
    """A group's view of Kafka. A newly assigned partition delivers nothing until ``seek``."""

    def poll(self) -> PollResult: ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Deliver from this offset on. Raises TransientError while the assignment is not yet in force."""
        ...

    def pause(self, partition: Partition) -> None: ...

    def resume(self, partition: Partition) -> None: ...

    def topic_ids(self) -> Mapping[str, str]:
        """Kafka's ids of the topics that exist now. Raises TransientError."""
        ...

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """First offset that the log still has, and the next one it will assign. Raises TransientError."""
        ...

    def newest_object(self, partition: Partition) -> int | None:
        """Start of the newest object that a commit names. None without one. Raises TransientError."""
        ...

    def commit(self, partition: Partition, position: int, newest_object: int) -> None:
        """Record how far the lake is. A hint: it may be lost."""
        ...

    def ends(self) -> Mapping[Partition, int]:
        """Where the logs of the assigned partitions end now. Raises TransientError."""
        ...


class ObjectReader(Protocol):
    """Every method raises TransientError when the store is unreachable or too slow."""

    def head(self, key: str) -> dict[str, str]:
        """The object's metadata. Raises KeyError if there is no such object."""
        ...

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys under the prefix, in order, strictly after ``start_after``. Raises KeyError without a bucket."""
        ...

    def get(self, key: str) -> bytes:
        """Raises KeyError if there is no such object."""
        ...


class ObjectStore(ObjectReader, Protocol):
    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """False when the key exists, even if an earlier attempt of this call created it. Raises TransientError."""
        ...


class DeadLetters(Protocol):
    def publish(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Returns when Kafka has all of them. Raises TransientError when it may not: publish all again."""
        ...


class Decoder(Protocol):
    """Satisfied by ``schemas.batch.BatchDecoder``."""

    def decode(self, record: str, payloads: Sequence[bytes | None]) -> DecodedBatch: ...
