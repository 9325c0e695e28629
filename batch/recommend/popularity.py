"""The most watched titles: within a window, with decay, or in the profile's country."""

from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.model import Scorer


@dataclass(frozen=True)
class Popularity:
    """Counts the views of the last ``days``, each halved every ``half_life`` days.

    ``by_country``: counts within the profile's country; the world's counts break ties. A profile without a known
    country gets the world's counts.
    """

    days: float = float("inf")
    half_life: float = float("inf")
    by_country: bool = False

    def fit(self, history: Interactions, at: int) -> Scorer:
        counts = self.counts(history, at)
        home = history.home if self.by_country else np.full(len(history.profiles), -1)

        def scorer(profiles: Ints) -> Floats:
            chosen: Floats = counts[home[profiles]]
            return chosen

        return scorer

    def counts(self, history: Interactions, at: int) -> Floats:
        """Countries × titles. The last row is the world, so index -1 also fits an unknown country."""
        age = (at - history.time) / DAY_MS
        weight = np.where(age <= self.days, history.weight * 0.5 ** (age / self.half_life), 0)
        counts = np.zeros((len(history.countries) + 1, len(history.titles)), np.float32)
        np.add.at(counts, (history.country, history.title), weight)
        world = counts.sum(0)
        if self.by_country and (weight > 0).any():
            # smaller than any single view's weight, so it only breaks ties
            counts += world / (1 + world.max()) * weight[weight > 0].min()
        counts[-1] = world
        return counts
