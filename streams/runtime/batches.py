"""Batches of raw records, and what a worker does with one. Handlers import this module and need not know Faust."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Consecutive records of one partition, undecoded."""

    topic: str
    partition: int
    payloads: list[bytes | None]
    offsets: list[int]
    """One per payload, rising."""
    appended: Mapping[int, int]
    """How many of the records the broker appended at which millisecond."""
    size: int
    """Bytes of all payloads."""


Revoked = Callable[[], bool]
"""True once the batch is no longer ours: another worker has its partition, or this one stops."""
Handler = Callable[[RawBatch, Revoked], Awaitable[None]]
"""Returns when the batch is processed for good; raises TransientError when it was revoked meanwhile."""


class Assignment(Protocol):
    """This worker's place in its consumer group."""

    @property
    def generation(self) -> int:
        """Grows with every rebalance."""
        ...

    @property
    def stopping(self) -> bool: ...

    def partitions(self, topic: str) -> set[int]:
        """Those assigned to this worker now."""
        ...
