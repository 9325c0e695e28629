"""Events that were not their sender's, in the log: one a minute as a sample, and how many there were.

The metric counts them all. A log line for each would let anyone fill the disk.
"""

from collections.abc import Callable
from time import monotonic

import structlog

from producers.collector.sender import Sender
from producers.collector.validation import Rejected

EVERY_S = 60.0
log = structlog.get_logger()


class Samples:
    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._next_at = seconds()
        self._since_then = 0

    def note(self, sender: Sender, rejected: Rejected) -> None:
        self._since_then += 1
        if self._seconds() < self._next_at:
            return
        log.warning(
            "event is not its sender's",
            sender=sender.kind,
            account_id=sender.account_id,
            family=rejected.family,
            field=rejected.error.field,
            events=self._since_then,
        )
        self._next_at, self._since_then = self._seconds() + EVERY_S, 0
