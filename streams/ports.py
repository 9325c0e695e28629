"""What a stream worker reports about itself. Adapters in ``infra`` and fakes in tests satisfy these by shape."""

from collections.abc import Iterable, Mapping
from typing import Protocol


class Metrics(Protocol):
    """What a stream worker tells about itself; names and labels stand in ``infra/runtime/metrics/definitions.py``."""

    def consumed(self, topic: str, events: int) -> None:
        """A batch of so many records came from Kafka."""
        ...

    def batch_done(self, seconds: float) -> None:
        """One batch took so long until it was done, every repeat included."""
        ...

    def processed(self, topic: str, partition: int, appended: Mapping[int, int]) -> None:
        """These records are done with, and all before them: how many Kafka appended at which millisecond."""
        ...

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Log end less committed position."""
        ...

    def revoked(self, topic: str, partition: int) -> None:
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
