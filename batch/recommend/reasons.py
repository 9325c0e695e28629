"""Why a title is on a list, said from the data, whatever model put it there."""

from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import DAY_MS, Floats, Interactions
from batch.recommend.item_cosine import cosine
from schemas.recommendations import Reason

NEIGHBOURS = 20
"""A title may be because of one that it is among so many nearest of."""
SHARED = 2
"""At least so many profiles watched both: one person's evening is no reason."""
IN_COUNTRY = 20
"""So many titles are popular in a country."""
RECENT_DAYS = 28


@dataclass(frozen=True)
class Reasons:
    history: Interactions
    near: Floats
    """Titles × titles: cosine of the row's nearest, 0 for others."""
    popular: Floats
    """Countries × titles: 1 for the country's most popular; one more row for unknown countries."""

    @classmethod
    def of(cls, history: Interactions, at: int) -> "Reasons":
        near = cosine(history)
        near[history.watched.T @ history.watched < SHARED] = 0
        if len(near) > NEIGHBOURS:
            near[near < np.partition(near, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS, None]] = 0
        return cls(history, near, _popular(history.between(at - RECENT_DAYS * DAY_MS, at)))

    def why(self, profile: int, title: int) -> tuple[Reason, str | None]:
        """Because of the watched title that it is nearest to; else its place in the profile's country."""
        nearness = self.history.watched[profile] * self.near[:, title]
        if nearness.any():
            return "because", self.history.titles[int(nearness.argmax())]
        return self.where(int(self.history.home[profile]), title)

    def where(self, country: int, title: int) -> tuple[Reason, str | None]:
        """For anybody in a country (-1: unknown)."""
        if country >= 0 and self.popular[country, title]:
            return "country", self.history.countries[country]
        return "popular", None


def _popular(recent: Interactions) -> Floats:
    views = np.zeros((len(recent.countries) + 1, len(recent.titles)), np.float32)
    np.add.at(views, (recent.country, recent.title), recent.weight)
    popular = np.zeros_like(views)
    np.put_along_axis(popular, np.argsort(-views, axis=1, kind="stable")[:, :IN_COUNTRY], 1, axis=1)
    return popular * (views > 0)
