"""How often a secret may be guessed. It is asked before any hash is computed, so that guessing costs us nothing.

A failure counts for the account's address, for the client's address, for its network, and overall. A subject whose
count is full waits until enough of it has drained away: counts drain evenly, full ones within fifteen minutes. Counts
are kept in memory: a restart forgets them, and with them nothing that anybody relies on.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

WINDOW_MS = 15 * 60 * 1000
MOST_SUBJECTS = 100_000
LIMITS: Mapping[str, int] = {"account": 4, "address": 10, "network": 30, "all": 90, "device": 10}
"""Failures in a window. ``device``: of a device that this account knows, instead of all others."""


class Subject(NamedTuple):
    kind: str
    """A key of the limits."""
    name: str


class FailureRates:
    """Leaky buckets, of which the least recently used are forgotten."""

    def __init__(self, limits: Mapping[str, int] = LIMITS) -> None:
        self._limits = limits
        self._levels: OrderedDict[Subject, tuple[float, int]] = OrderedDict()
        """How full, and when that was."""

    def take(self, subjects: Sequence[Subject], now: int) -> int:
        """Count a failure beforehand. 0: go on; otherwise nothing was counted, and it is how many milliseconds to
        wait. Several at once cannot pass a limit together, as they could if they were counted afterwards."""
        waits = [self._wait_ms(subject, now) for subject in subjects]
        if wait := max(waits):
            return wait
        for subject in subjects:
            self._levels[subject] = (self._level(subject, now) + 1, now)
            self._levels.move_to_end(subject)
        while len(self._levels) > MOST_SUBJECTS:
            self._levels.popitem(last=False)
        return 0

    def give_back(self, subjects: Sequence[Subject], now: int) -> None:
        """It was none."""
        for subject in subjects:
            self._levels[subject] = (max(0.0, self._level(subject, now) - 1), now)

    def _level(self, subject: Subject, now: int) -> float:
        level, since = self._levels.get(subject, (0.0, now))
        return max(0.0, level - (now - since) / WINDOW_MS * self._limits[subject.kind])

    def _wait_ms(self, subject: Subject, now: int) -> int:
        """Until there is room for one more."""
        limit = self._limits[subject.kind]
        over = self._level(subject, now) + 1 - limit
        return round(over / limit * WINDOW_MS) + 1 if over > 1e-9 else 0
