"""What everybody watches now: by decay with age, within a window, in the profile's country."""

from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.model import Scorer


@dataclass(frozen=True)
class Popularity:
    """Views of the last ``days``, each worth half as much after every ``half_life`` days.

    ``by_country``: the profile's country counts by itself; titles that are equal there follow the world's order.
    A profile without a known country gets the world's.
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
        """Countries × titles; the last row is the world, and so place -1 an unknown country."""
        age = (at - history.time) / DAY_MS
        worth = np.where(age <= self.days, history.weight * 0.5 ** (age / self.half_life), 0)
        counts = np.zeros((len(history.countries) + 1, len(history.titles)), np.float32)
        np.add.at(counts, (history.country, history.title), worth)
        world = counts.sum(0)
        if self.by_country and (worth > 0).any():
            # less than any single view's worth: it only orders what is equal in the country
            counts += world / (1 + world.max()) * worth[worth > 0].min()
        counts[-1] = world
        return counts
