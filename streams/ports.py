"""What the stream processors need from outside. Adapters in ``infra`` and fakes in tests satisfy these by shape."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from schemas.errors import InvalidEvent
from schemas.events import CompactionRequest, ViewingRecord
from streams.history.ports import LiveReads

Clock = Callable[[], int]
"""Now, in milliseconds since the epoch."""


class LiveVHStore(LiveReads, Protocol):
    async def write(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:
        """Store every record, in any order, any number of times: the newest per session stays.

        Returns one error for each record that the store refuses for ever. Raises TransientError when some
        records may not have been stored: write all of them again.
        """
        ...


class LiveCounts(Protocol):
    async def count(self, profile_id: str, limit: int) -> int:
        """How many sessions a profile has in LiveVH, ``limit`` at most. Raises TransientError."""
        ...


class CompactionRequests(Protocol):
    async def publish(self, requests: Sequence[CompactionRequest]) -> None:
        """Returns when Kafka has all of them. Raises TransientError when it may not."""
        ...


class Metrics(Protocol):
    """What a stream worker tells about itself; names and labels stand in ``infra/metrics.py``."""

    def taken(self, topic: str, events: int) -> None:
        """A batch of so many records came from Kafka."""
        ...

    def worked(self, seconds: float) -> None:
        """One batch took so long until it was done, every repeat included."""
        ...

    def processed(self, topic: str, partition: int, appended: Mapping[int, int]) -> None:
        """These records are done with, and all before them: how many Kafka appended at which millisecond."""
        ...

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Log end less committed position."""
        ...

    def unassigned(self, topic: str, partition: int) -> None:
        """Another worker has this partition now: this one says nothing more about it."""
        ...

    def retried(self, operation: str) -> None: ...

    def skipped(self, topic: str, code: str) -> None:
        """One invalid record was passed over; the lake sink makes the dead letter."""
        ...


class HistoryMetrics(Metrics, Protocol):
    def wrote(self, records: int, seconds: float) -> None:
        """So many records were acknowledged by LiveVH."""
        ...

    def visible(self, event_times: Iterable[int]) -> None:
        """Events of these times, in milliseconds, are in LiveVH now."""
        ...

    def conflicts(self, count: int) -> None:
        """Two events of one session claim the same seq and differ."""
        ...
