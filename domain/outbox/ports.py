"""What a relay needs of an outbox and of Kafka."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from domain.outbox.rows import Key, Row
from schemas.topics import CHANGE_TOPICS

URGENT = CHANGE_TOPICS["revocations"]
"""Until it is published, a device that was signed out goes on everywhere."""


class Waiting(NamedTuple):
    """What is not published yet."""

    rows: int
    oldest_at: int | None
    """When the oldest one was written, in ms since the epoch."""


class Outbox(Protocol):
    """One service's outbox, as one relay sees it. All raise TransientError while the database cannot answer."""

    async def hold(self) -> bool:
        """Take the lease, or renew it. False while another relay holds it."""
        ...

    async def release(self) -> None:
        """Give the lease up, if this relay holds it."""
        ...

    async def unpublished(self, limit: int) -> Sequence[Row]:
        """Urgent ones first, then in the order of topic, key and seq: of each key the first ones, without a gap."""
        ...

    async def mark(self, ids: Collection[str], now: int) -> bool:
        """Mark rows as published, and renew the lease. False, with nothing marked, if another relay has taken the
        lease meanwhile."""
        ...

    async def publish_again(self, keys: Collection[Key]) -> None:
        """Let the newest row of each key be published once more, by the one that holds the lease."""
        ...

    async def waiting(self) -> Waiting: ...

    async def forget(self, before: int, limit: int) -> int:
        """Delete up to ``limit`` rows that were published before this time in ms; returns how many it were."""
        ...


class Log(Protocol):
    def publish(self, rows: Sequence[Row]) -> set[int]:
        """Publish in this order, and wait. Returns the places of those that Kafka has not acknowledged in time.

        Blocks. Raises TransientError if nothing was sent, since Kafka's registry does not answer.
        """
        ...
