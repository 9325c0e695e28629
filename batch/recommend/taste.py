"""The country's most watched titles, re-ranked by the genres that a profile watches: needs next to no evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from batch.recommend.interactions import Floats, Interactions, Ints
from batch.recommend.model import Scorer
from batch.recommend.popularity import Popularity
from batch.recommend.titles import TitleMetadata, genres

WORLD_PRIOR = 20
"""Views, distributed as in the world, that are added to each country's: a small country alone would be noise."""
TASTE_PRIOR = 5
"""Titles, distributed over genres as everybody's views, that are added to each profile's."""


@dataclass(frozen=True)
class PopularityByTaste:
    """The log of a title's share of recent views, plus ``strength`` times the log of how much more than others the
    profile watches the title's genres. A title without known genres is ranked by its popularity alone."""

    metadata: Mapping[str, TitleMetadata] = field(repr=False)
    days: float = 14
    strength: float = 2.0

    def fit(self, history: Interactions, at: int) -> Scorer:
        counts = Popularity(days=self.days).counts(history, at)
        popularity = _log_shares(counts)
        votes = genres(history.titles, self.metadata)
        usual = counts[-1] @ votes + 1
        usual /= max(1.0, usual.sum())
        known = votes.any(1)

        def scorer(profiles: Ints) -> Floats:
            watched = history.watched[profiles] * known
            shares = (watched @ votes + TASTE_PRIOR * usual) / (watched.sum(1, keepdims=True) + TASTE_PRIOR)
            lift = np.where(known, (shares / usual) @ votes.T, 1)
            return (popularity[history.home[profiles]] + self.strength * np.log(lift)).astype(np.float32)

        return scorer


def _log_shares(counts: Floats) -> Floats:
    """Countries × titles (the last row: the world): the log of the title's share of the views."""
    world = (counts[-1] + 0.5) / (counts[-1] + 0.5).sum()
    shares = (counts + WORLD_PRIOR * world) / (counts.sum(1, keepdims=True) + WORLD_PRIOR)
    logs: Floats = np.log(shares)
    return logs
