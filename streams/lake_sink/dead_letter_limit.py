"""How many dead letters are too many: a burst stops the partition instead of draining its topic into them.

The minute is the log's (append time), not the clock's. So catching up after an outage is judged like live
reading, and a restart meets the same burst again instead of a fresh allowance.
"""

from collections import Counter
from collections.abc import Iterable

MINUTE_MS = 60_000
KEPT_MINUTES = 10_000


class DeadLetterLimit:
    """Counts one topic's invalid records by the minute in which the broker appended them."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._made: Counter[int] = Counter()

    def allows(self, timestamps_ms: Iterable[int]) -> bool:
        """Whether these may become dead letters too. Counts nothing."""
        asked = Counter(timestamp // MINUTE_MS for timestamp in timestamps_ms)
        return all(self._made[minute] + count <= self._a_minute for minute, count in asked.items())

    def count(self, timestamps_ms: Iterable[int]) -> None:
        self._made.update(timestamp // MINUTE_MS for timestamp in timestamps_ms)
        for minute in sorted(self._made)[:-KEPT_MINUTES]:
            del self._made[minute]
