"""What producers need from outside. Adapters in ``infra`` and fakes in tests satisfy these by shape."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

Clock = Callable[[], int]
"""Now, in milliseconds since the epoch."""


class Message(NamedTuple):
    topic: str
    key: bytes
    value: bytes


Headers = Sequence[tuple[str, bytes]]
"""Of a record in Kafka. Each name once."""
Delivery = Literal["acknowledged", "failed", "unknown"]
"""Acknowledged by the brokers; not stored; or not confirmed in time, so it may be stored."""


class EventLog(Protocol):
    """Kafka, as producers see it."""

    async def publish(self, messages: Sequence[Message], headers: Headers = ()) -> list[Delivery]:
        """Send all and wait until each is settled or the time is up. Returns one delivery per message, in order.

        ``headers``: of every record.
        """
        ...

    async def ready(self) -> bool:
        """Whether Kafka is reachable and accepts messages."""
        ...
