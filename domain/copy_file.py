"""A service's own copy of a topic, as it is kept in a file: what it knew, and up to where it had read."""

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

import msgspec

R = TypeVar("R")


class Copy(Protocol[R]):
    """The same records in any order, any number of times, give the same copy."""

    def take(self, record: R, /) -> None: ...
    def forget(self, now: int, /) -> None:
        """Drop what nobody asks for any more. ``now``: milliseconds since the epoch."""

    @property
    def records(self) -> list[R]:
        """Those that give the same copy again."""


class CopyFile(msgspec.Struct, Generic[R], frozen=True):
    topic_id: str
    offsets: Mapping[int, int]
    """Partition to the next offset to read."""
    as_of: int
    """When the copy had all that was in Kafka, in ms since the epoch."""
    records: list[R]

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)

    @staticmethod
    def decoded(body: bytes, record: Any) -> "CopyFile[Any]":
        """``record``: the type of its records. Raises ValueError for anything but a whole file."""
        found: CopyFile[Any] = msgspec.json.decode(body, type=CopyFile[record])
        return found
