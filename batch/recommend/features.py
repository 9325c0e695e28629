"""What the ranker knows of a profile and a title at one moment. One encoder, for training and for serving.

Everything comes from rows before that moment: views of a title by age of the view, overall and in the profile's
country; what item-to-item models say; and how the profile's size of history and taste meet the title.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from batch.recommend.ease import ease
from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.item_cosine import cosine
from batch.recommend.titles import Facts, decades, genres

WORLD_DAYS = (14, 28, 90)
COUNTRY_DAYS = 28
COUNTRY_PRIOR = 20
"""So many views of the world's taste stand beside a country's own."""
LAST = 10
EASE_L2 = 300
NAMES = (
    *(f"views of {days} days" for days in WORLD_DAYS),
    "views ever",
    "trend",
    "release year",
    "lift in the country",
    "EASE",
    f"cosine to the last {LAST}",
    "genres of all watched",
    "years of all watched × release year",
    "history size × views ever",
)


@dataclass(frozen=True)
class Features:
    """Made by ``at``; all that is learned from the history is in here."""

    history: Interactions
    world: Floats
    """Titles × the features that are the same for everybody."""
    countries: Floats
    """Countries (the last row: unknown) × titles."""
    newest: Floats
    """Profiles × titles: 1 for the ``LAST`` newest of each profile."""
    similar: Floats
    """Titles × titles, by cosine."""
    weights: Floats
    """Titles × titles, by EASE."""
    decades: Floats
    genres: Floats

    @classmethod
    def at(cls, history: Interactions, moment: int, facts: Mapping[str, Facts]) -> "Features":
        """``history`` has nothing from ``moment`` on; ``facts`` of the titles that are known, by id."""
        views = {days: _views(history.between(moment - days * DAY_MS, moment)) for days in WORLD_DAYS}
        span = max(14.0, (moment - int(history.time[0])) / DAY_MS)
        trend = np.log((views[14] + 1) / (history.views * 14 / span + 1))
        years = decades(history.titles, facts)
        return cls(
            history=history,
            world=np.stack([*map(_log_share, views.values()), np.log(history.views + 0.5), trend, years], axis=-1),
            countries=_by_country(history.between(moment - COUNTRY_DAYS * DAY_MS, moment)),
            newest=_newest(history),
            similar=cosine(history),
            weights=ease(history, EASE_L2),
            decades=years,
            genres=genres(history.titles, facts),
        )

    def of(self, profiles: Ints) -> Floats:
        """Profiles × titles × ``NAMES``."""
        watched, newest = self.history.watched[profiles], self.newest[profiles]
        world = [np.broadcast_to(column, watched.shape) for column in self.world.T]
        size = np.maximum(watched.sum(1, keepdims=True), 1)
        columns = [
            *world,
            self.countries[self.history.home[profiles]],
            watched @ self.weights,
            np.log(newest @ self.similar / np.maximum(newest.sum(1, keepdims=True), 1) + 0.01),
            self._genre_affinity(watched),
            (watched @ self.decades / size[:, 0])[:, None] * self.decades,
            np.log(size) * world[NAMES.index("views ever")],
        ]
        return np.stack(columns, axis=-1).astype(np.float32)

    def _genre_affinity(self, watched: Floats) -> Floats:
        """How much more of the title's genres the profile watches than others do; 1 is as much, 0 unknown."""
        own = watched @ self.genres
        own /= np.maximum(own.sum(1, keepdims=True), 1)
        usual = self.history.views @ self.genres
        usual /= max(1.0, usual.sum())
        affinity: Floats = (own / (usual + 0.01)) @ self.genres.T
        return affinity


def _views(window: Interactions) -> Floats:
    return np.bincount(window.title, weights=window.weight, minlength=len(window.titles)).astype(np.float32)


def _log_share(views: Floats) -> Floats:
    """Log of the views in a thousand, kept finite where there are none."""
    share: Floats = (views + 0.5) / (views.sum() + 0.5)
    logs: Floats = np.log(share * 1000 + 0.1)
    return logs


def _by_country(window: Interactions) -> Floats:
    """Log of how much more a title is watched in the country than in the world; 0 for an unknown country."""
    world = _views(window)
    usual = (world + 0.5) / (world.sum() + 0.5)
    counts = np.zeros((len(window.countries) + 1, len(window.titles)), np.float32)
    np.add.at(counts, (window.country, window.title), window.weight)
    counts[-1] = 0
    own = (counts + COUNTRY_PRIOR * usual) / (counts.sum(1, keepdims=True) + COUNTRY_PRIOR * usual.sum())
    lift: Floats = np.log(own / usual)
    return lift


def _newest(history: Interactions) -> Floats:
    newest = np.zeros((len(history.profiles), len(history.titles)), np.float32)
    room = np.full(len(history.profiles), LAST)
    for profile, title in zip(history.profile[::-1], history.title[::-1], strict=True):
        if room[profile]:
            newest[profile, title] = 1
            room[profile] -= 1
    return newest
