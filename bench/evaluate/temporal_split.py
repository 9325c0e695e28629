"""Splits in time: models learn before a moment and are tested after it. The moment is the same for all profiles.

A split has three windows: [start … tune_from) [tune_from … test_from) [test_from … test_until). The best variant is
chosen by learning from the first and testing on the second. That one then learns from both and is tested on the third.
Nothing is split at random, which would let models learn from the future.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from batch.recommend.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Split:
    """Milliseconds since the epoch."""

    name: str
    tune_from: int
    test_from: int
    test_until: int

    def __post_init__(self) -> None:
        if not self.tune_from < self.test_from < self.test_until:
            raise ValueError(f"{self.name}: tuning must begin before testing, and testing before its end")


def rolling(table: Interactions) -> Iterator[Split]:
    """The cut at 80 % of all rows and all after it, then three shorter windows that roll through the last 30 %."""
    end = int(table.time[-1]) + 1
    for tune, test, until in ((0.6, 0.8, 1.0), (0.6, 0.7, 0.8), (0.7, 0.8, 0.9), (0.8, 0.9, 1.0)):
        yield Split(
            name=f"{test:.0%} to {until:.0%}",
            tune_from=table.at_share(tune),
            test_from=table.at_share(test),
            test_until=end if until == 1 else table.at_share(until),
        )
