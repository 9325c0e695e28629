"""How long a relay may rely on its lease, by its own clock.

The database decides who holds the lease, by the database's clock. The holder counts from the moment *before* it asked,
so its own view ends first. A batch may begin only if Kafka would give up its messages well before that: otherwise the
next holder could publish a key's newer row, and this relay's older one would follow it.
"""

from collections.abc import Callable


class Lease:
    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        """``seconds``: how long it is granted for. ``monotonic``: goes on while the process is stopped."""
        self.seconds = seconds
        self.delivery_seconds = seconds / 3
        """After which Kafka gives up a message."""
        self._margin = seconds / 6
        self._monotonic = monotonic
        self._until = float("-inf")

    @property
    def covers_a_batch(self) -> bool:
        return self._monotonic() + self.delivery_seconds + self._margin <= self._until

    def ask(self) -> float:
        """The moment to give to ``granted``: take it before the database is asked."""
        return self._monotonic()

    def granted(self, asked: float) -> None:
        self._until = asked + self.seconds

    def lost(self) -> None:
        self._until = float("-inf")
