"""Why a title is on a list, derived from the data whatever model put it there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import DAY_MS, Floats, Interactions
from batch.recommend.similarity import cosine
from batch.recommend.titles import TitleMetadata, genre_names, genres
from domain.recommendations.model import Reason

NEIGHBOURS = 20
"""A watched title is a reason for its this many nearest titles."""
MIN_SHARED = 2
"""At least this many profiles must have watched both titles."""
ALIKE_GENRES, ALIKE = 2, 2 / 3
"""Titles are alike if they share at least this many genres, and this share of both titles' genres together."""
POPULAR = 20
"""How many titles are popular, in a country and in the world."""
RECENT_DAYS = 28
OFTEN, OFTEN_SHARE = 2, 0.3
"""A profile watches a genre often if it has at least this many titles and this share of the profile's titles."""


@dataclass(frozen=True)
class Reasons:
    history: Interactions
    near: Floats
    """Titles × titles: cosine of the row's nearest, 0 for others."""
    alike: Floats
    """Titles × titles: the share of genres of two titles that are alike, 0 for others."""
    popular: Floats
    """Countries × titles: 1 for the country's most popular; the last row is the world's."""
    genre_names: list[str]
    genres: Floats
    """Titles × genres: 1 for each of a title's own."""

    @classmethod
    def of(cls, history: Interactions, at: int, metadata: Mapping[str, TitleMetadata]) -> "Reasons":
        near = cosine(history.watched)
        near[history.watched.T @ history.watched < MIN_SHARED] = 0
        if len(near) > NEIGHBOURS:
            near[near < np.partition(near, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS, None]] = 0
        popular = _popular(history.between(at - RECENT_DAYS * DAY_MS, at))
        own = np.ceil(genres(history.titles, metadata))
        return cls(history, near, _alike(own), popular, genre_names(history.titles, metadata), own)

    def why(self, profile: int, title: int) -> tuple[Reason, str | None]:
        """The first that applies: near a watched title, alike one, popular in the country, a genre watched often,
        popular."""
        watched = self.history.watched[profile]
        for to_others in (self.near, self.alike):
            nearness = watched * to_others[:, title]
            if nearness.any():
                return "because", self.history.titles[int(nearness.argmax())]
        country = int(self.history.home[profile])
        if country >= 0 and self.popular[country, title]:
            return "country", self.history.countries[country]
        of_genre = (watched @ self.genres) * self.genres[title]
        if of_genre.size and of_genre.max() >= max(OFTEN, OFTEN_SHARE * watched.sum()):
            return "genre", self.genre_names[int(of_genre.argmax())]
        return ("popular", None) if self.popular[-1, title] else ("picked", None)

    def where(self, country: int, title: int) -> tuple[Reason, str | None]:
        """The reason for a popular title in a country (-1: unknown)."""
        if country >= 0 and self.popular[country, title]:
            return "country", self.history.countries[country]
        return "popular", None


def _alike(own: Floats) -> Floats:
    """From titles × genres."""
    shared = own @ own.T
    count = own.sum(1)
    share: Floats = shared / np.maximum(count[:, None] + count - shared, 1)
    share[(shared < ALIKE_GENRES) | (share < ALIKE)] = 0
    return share


def _popular(recent: Interactions) -> Floats:
    views = np.zeros((len(recent.countries) + 1, len(recent.titles)), np.float32)
    np.add.at(views, (recent.country, recent.title), recent.weight)
    views[-1] = views.sum(0)
    popular = np.zeros_like(views)
    np.put_along_axis(popular, np.argsort(-views, axis=1, kind="stable")[:, :POPULAR], 1, axis=1)
    return popular * (views > 0)
