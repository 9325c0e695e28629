"""What quality of experience needs from outside. Adapters in ``infra`` and fakes in tests satisfy these by shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.quality.figures import Figures, Label
from domain.quality.tally import MinuteFigures
from domain.support.updates import MemberError, SessionReport


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
        """One a payload, rising."""
        ...


class CheckpointTooLarge(Exception):
    """A partition's state does not fit into one row: the topic needs more partitions."""


class ReportSink(Protocol):
    async def save_reports(self, reports: Sequence[SessionReport]) -> None:
        """For support, in any order, any number of times: of each session the newest stays. TransientError."""
        ...


class Checkpoints(ReportSink, Protocol):
    """All methods raise TransientError when the store is away or slow; a write may still happen then."""

    async def load(self, partition: int) -> bytes | None:
        """The state of the highest offset that was ever saved, None if none was."""
        ...

    async def save(self, partition: int, offset: int, state: bytes) -> None:
        """Keep the state at this offset, unless there is one of a higher offset. Raises CheckpointTooLarge."""
        ...

    async def save_minutes(self, partition: int, clock: int, minutes: Sequence[MinuteFigures]) -> None:
        """Figures of so many minutes, as they are at this time of the log's clock; later ones replace earlier ones."""
        ...


class ErrorSink(Protocol):
    async def save_errors(self, errors: Sequence[MemberError]) -> None:
        """For support, any number of times. TransientError when some may not be stored."""
        ...


class SupportReads(Protocol):
    """Of one member, newest start first; both raise TransientError."""

    async def reports(self, profile_id: str, limit: int) -> Sequence[SessionReport]:
        """Of two sessions that started at once, in the order of their ids."""
        ...

    async def errors(self, profile_id: str, limit: int) -> Sequence[MemberError]:
        """By the client's clock."""
        ...


class Minutes(Protocol):
    async def minutes(self, label_set: str, first: int, last: int) -> Sequence[MinuteFigures]:
        """Every label's figures of these minutes, both ends included, summed over partitions. TransientError."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What a partition's checkpoint says."""

    totals: Mapping[Label, Figures]
    viewers: Mapping[Label, int]
    late: int
    missed: int
    open_sessions: int
    clock: int
    state_bytes: int


class QualityMetrics(Protocol):
    def skipped(self, topic: str, code: str) -> None:
        """One invalid record was passed over; the lake sink makes the dead letter."""
        ...

    def show(self, partition: int, shown: Shown) -> None:
        """Only what a checkpoint holds is ever shown, so that nobody who goes on from it shows less."""
        ...

    def hide(self, partition: int) -> None:
        """Another worker has this partition now."""
        ...

    def saved(self, seconds: float) -> None:
        """A checkpoint took so long."""
        ...
