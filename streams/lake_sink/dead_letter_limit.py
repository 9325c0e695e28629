"""Limits dead letters: a burst of invalid records halts the partition instead of moving its topic into them.

It counts by the minute in which the broker appended the records, not by the wall clock. A backlog is then judged
like live records, and a restarted sink meets the same burst again instead of a fresh allowance.
"""

from collections import Counter
from collections.abc import Iterable

MINUTE_MS = 60_000
KEPT_MINUTES = 10_000


class DeadLetterLimit:
    """Counts one topic's invalid records by the minute in which the broker appended them."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._counts: Counter[int] = Counter()

    def allows(self, timestamps_ms: Iterable[int]) -> bool:
        """Whether these may become dead letters too. Counts nothing."""
        asked = Counter(timestamp // MINUTE_MS for timestamp in timestamps_ms)
        return all(self._counts[minute] + count <= self._a_minute for minute, count in asked.items())

    def count(self, timestamps_ms: Iterable[int]) -> None:
        self._counts.update(timestamp // MINUTE_MS for timestamp in timestamps_ms)
        for minute in sorted(self._counts)[:-KEPT_MINUTES]:
            del self._counts[minute]
