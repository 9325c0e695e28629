"""What the producers need from the outside. Adapters in ``infra`` satisfy these by shape, fakes in tests too."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

Clock = Callable[[], int]
"""Now, in milliseconds since the epoch."""


class Message(NamedTuple):
    topic: str
    key: bytes
    value: bytes


Delivery = Literal["acknowledged", "failed", "unknown"]
"""Stored on as many brokers as the topic asks for; not stored; or not settled in time, so stored or not."""


class EventLog(Protocol):
    """Kafka, as the producers see it."""

    async def publish(self, messages: Sequence[Message]) -> list[Delivery]:
        """Send all, wait until each one's fate is known or the time is up; one answer a message, in order."""
        ...

    async def ready(self) -> bool:
        """Can it be reached now, and is it fit to publish?"""
        ...


class CollectorMetrics(Protocol):
    """What the collector tells about itself; names and labels stand in ``infra/runtime/metrics/definitions.py``."""

    def answered(self, status: int, seconds: float) -> None: ...

    def judged(self, family: str, verdict: str, events: int) -> None:
        """So many events of a family got a verdict: accepted, rejected or unsettled."""
        ...

    def dead_letter(self, topic: str | None, code: str) -> None:
        """A dead letter was stored; ``topic`` is where its event wanted to go, if that could be told."""
        ...

    def delivered(self, seconds: float) -> None:
        """A request's messages were settled."""
        ...

    def in_flight(self, bytes_: int) -> None: ...
