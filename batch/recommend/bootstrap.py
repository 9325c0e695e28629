"""Intervals by resampling profiles: a profile's windows stay together, since they are not independent."""

from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Ints
from batch.recommend.metrics import Doubles

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    mean: float
    low: float
    high: float
    """95 % of the resampled means lie between ``low`` and ``high``."""

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interval(values: Doubles, profiles: Ints, seed: int = 1) -> Interval:
    """The mean of ``values``; ``profiles`` says whose each is."""
    _, places = np.unique(profiles, return_inverse=True)
    people = places.max() + 1
    drawn = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), RESAMPLES)
    times = drawn[:, places]
    means = (times @ values) / times.sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))
