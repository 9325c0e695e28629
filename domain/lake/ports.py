"""What the lake sink needs from outside: a log to read, a store to write, a way to publish dead letters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from schemas.errors import InvalidEvent
from schemas.events import DeadLetter

Resolve = Callable[[int], dict[str, Any]]
"""Schema id to writer's schema. Raises InvalidEvent("unknown_schema") or TransientError."""


Partition = tuple[str, int]
"""Topic and number."""


class Record(Protocol):
    """One record as the log hands it over; confluent-kafka's own Message has this shape, so none is copied."""

    def offset(self) -> int: ...

    def timestamp(self) -> tuple[int, int]:
        """(kind, milliseconds): when the broker appended it."""
        ...

    def key(self) -> bytes | None: ...

    def value(self) -> bytes | None: ...

    def __len__(self) -> int:
        """Bytes of the value."""
        ...


class Intake(Protocol):
    """What one poll brought, to be applied in this order."""

    @property
    def revoked(self) -> Sequence[Partition]: ...

    @property
    def assigned(self) -> Sequence[Partition]: ...

    @property
    def records(self) -> Mapping[Partition, Sequence[Record]]:
        """Where the log no longer had the next record, they go on with the first one it has."""
        ...


class Log(Protocol):
    """A group's view of Kafka. A newly assigned partition delivers nothing until it was seeked."""

    def poll(self) -> Intake: ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Deliver from this offset on. Raises TransientError when the assignment is not yet in force."""
        ...

    def pause(self, partition: Partition) -> None: ...

    def resume(self, partition: Partition) -> None: ...

    def topic_ids(self) -> Mapping[str, str]:
        """Kafka's ids of the topics that exist now. Raises TransientError."""
        ...

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """First offset that the log still has, and the next one it will give. Raises TransientError."""
        ...

    def newest_object(self, partition: Partition) -> int | None:
        """Start of the newest object that a commit told of; None without one. Raises TransientError."""
        ...

    def commit(self, partition: Partition, position: int, newest_object: int) -> None:
        """Tell the group how far the lake is. A hint: it may be lost."""
        ...

    def ends(self) -> Mapping[Partition, int]:
        """Where the assigned partitions' logs end now. Raises TransientError."""
        ...


class ObjectStore(Protocol):
    """Every method raises TransientError when the store is away or too slow."""

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """False when the key exists, also when an earlier try of this very call made it."""
        ...

    def head(self, key: str) -> dict[str, str]:
        """The object's metadata."""
        ...

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys under the prefix, in order, strictly after ``start_after``."""
        ...

    def get(self, key: str) -> bytes: ...


class DeadLetters(Protocol):
    def publish(self, letters: Sequence[DeadLetter]) -> None:
        """Returns when Kafka has all of them. Raises TransientError when it may not: publish all again."""
        ...


class Invalid(Protocol):
    @property
    def index(self) -> int: ...

    @property
    def error(self) -> InvalidEvent: ...


class Verdicts(Protocol):
    @property
    def invalid(self) -> Sequence[Invalid]: ...

    @property
    def schema_ids(self) -> Sequence[int | None]: ...


class Decoder(Protocol):
    """``schemas.batch.BatchDecoder`` by shape."""

    def decode(self, record_name: str, payloads: Sequence[bytes | None]) -> Verdicts: ...
