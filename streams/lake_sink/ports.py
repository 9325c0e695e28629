"""What the lake sink reports about itself."""

from typing import Protocol

from streams.ports import Metrics


class LakeMetrics(Metrics, Protocol):
    def stored(self, topic: str, records: int, size: int, seconds: float) -> None:
        """An object with so many records and bytes was put."""
        ...

    def lost_race(self, topic: str) -> None:
        """Another sink had written the object already."""
        ...

    def gap(self, topic: str, offsets: int) -> None:
        """So many offsets had left the log before the lake read them."""
        ...

    def dead_letter(self, topic: str, code: str) -> None: ...

    def halted(self, topic: str, partition: int, halted: bool) -> None:
        """The partition stands still until somebody looks."""
        ...

    def forget(self, topic: str, partition: int) -> None:
        """The partition is another worker's now: drop its gauges."""
        ...
