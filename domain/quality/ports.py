"""Ports of quality of experience. Adapters in ``infra`` and fakes in tests satisfy them structurally."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.quality.figures import Figures, Label
from domain.quality.tally import MinuteFigures
from domain.support.ports import ReportSink


class Records(Protocol):
    """Consecutive records of one partition, undecoded."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def payloads(self) -> Sequence[bytes | None]: ...
    @property
    def offsets(self) -> Sequence[int]:
        """One for each payload, ascending."""
        ...


class CheckpointTooLarge(Exception):
    """A partition's state does not fit into one row: the topic needs more partitions."""


class Checkpoints(ReportSink, Protocol):
    """All methods raise TransientError when the store is unavailable or slow; the write may still have happened."""

    async def load(self, partition: int) -> bytes | None:
        """The state saved for the highest offset and log time; None if there is none."""
        ...

    async def save(self, partition: int, offset: int, log_time: int, state: bytes) -> None:
        """Store the state at this offset and log time, unless a higher offset or a later minute is stored.
        Raises CheckpointTooLarge."""
        ...

    async def save_minutes(self, partition: int, log_time: int, minutes: Sequence[MinuteFigures]) -> None:
        """Store the minutes' figures as of this log time; a later log time replaces an earlier one."""
        ...


class Minutes(Protocol):
    async def minutes(self, label_set: str, first: int, last: int) -> Sequence[MinuteFigures]:
        """Each label's figures of these minutes (inclusive), summed over partitions. Raises TransientError."""
        ...


@dataclass(frozen=True, slots=True)
class QualitySnapshot:
    """The metrics of one partition as of a checkpoint."""

    totals: Mapping[Label, Figures]
    viewers: Mapping[Label, int]
    late: int
    beyond: int
    missed: int
    open_sessions: int
    log_time: int
    state_bytes: int
    lossy_views: Mapping[Label, int]


class CheckpointedMetrics(Protocol):
    def publish(self, partition: int, snapshot: QualitySnapshot) -> None:
        """Only checkpointed values are published, so a successor never publishes a lower one."""
        ...

    def withdraw(self, partition: int) -> None:
        """Another worker owns this partition now."""
        ...
