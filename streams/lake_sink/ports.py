"""What the lake sink reports about itself."""

from typing import Protocol

from streams.ports import Metrics


class LakeMetrics(Metrics, Protocol):
    def stored(self, topic: str, records: int, size: int, seconds: float) -> None:
        """An object with this many records and bytes was put."""
        ...

    def lost_race(self, topic: str) -> None:
        """The object existed already: another sink had written it."""
        ...

    def gap(self, topic: str, offsets: int) -> None:
        """This many offsets had left Kafka before the lake read them."""
        ...

    def dead_letter(self, topic: str, code: str) -> None: ...

    def halted(self, topic: str, partition: int, halted: bool) -> None:
        """The partition waits for a person."""
        ...

    def forget(self, topic: str, partition: int) -> None:
        """Another worker has the partition now: drop its gauges."""
        ...
