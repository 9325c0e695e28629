"""Feature rows -> the model's inputs for pairs of a profile and a title. Training and serving use the same encoder.

Features of all pairs would be profiles × titles rows a day, so they are not stored. The encoder computes them from the
rows of profiles and titles: scores of item-to-item models, and interactions of a profile's history size and taste with
the title.
"""

from dataclasses import dataclass

import numpy as np

from batch.features.definitions import NEWEST_TITLES
from batch.recommend.feature_rows import FeatureRows
from batch.recommend.interactions import Floats, Ints
from batch.recommend.similarity import cosine, ease

WORLD_DAYS = (14, 28, 90)
COUNTRY_PRIOR = 20
"""A prior of this many views, distributed as in the world, is added to each country's views."""
EASE_L2 = 300
NAMES = (
    *(f"views of {days} days" for days in WORLD_DAYS),
    "views ever",
    "trend",
    "release year",
    "lift in the country",
    "EASE",
    f"cosine to the last {NEWEST_TITLES}",
    "genres of all watched",
    "years of all watched × release year",
    "history size × views ever",
)


@dataclass(frozen=True)
class Encoder:
    """Create it with ``of``, which computes all that does not depend on the profile."""

    rows: FeatureRows
    world: Floats
    """Titles × the features that are the same for every profile."""
    countries: Floats
    """Countries (the last row: unknown) × titles."""
    similar: Floats
    """Titles × titles: cosine."""
    weights: Floats
    """Titles × titles: EASE."""

    @classmethod
    def of(cls, rows: FeatureRows) -> "Encoder":
        two_weeks = rows.viewers * 14 / max(14.0, rows.span_days)
        trend = np.log((rows.views[14] + 1) / (two_weeks + 1))
        shares = [_log_share(rows.views[days]) for days in WORLD_DAYS]
        return cls(
            rows=rows,
            world=np.stack([*shares, np.log(rows.viewers + 0.5), trend, rows.decades], axis=-1),
            countries=_lift(rows.views[28], rows.views_28d_by_country),
            similar=cosine(rows.watched),
            weights=ease(rows.watched, EASE_L2),
        )

    def encode(self, profiles: Ints) -> Floats:
        """Profiles × titles × ``NAMES``."""
        rows, watched, newest = self.rows, self.rows.watched[profiles], self.rows.newest[profiles]
        size = np.maximum(watched.sum(1, keepdims=True), 1)
        columns = [
            *(np.broadcast_to(column, watched.shape) for column in self.world.T),
            self.countries[rows.home[profiles]],
            watched @ self.weights,
            np.log(newest @ self.similar / np.maximum(newest.sum(1, keepdims=True), 1) + 0.01),
            self._genre_affinity(rows.genre_shares[profiles]),
            rows.mean_decade[profiles][:, None] * rows.decades,
            np.log(size) * self.world[:, NAMES.index("views ever")],
        ]
        return np.stack(columns, axis=-1).astype(np.float32)

    def _genre_affinity(self, shares: Floats) -> Floats:
        """How much more the profile watches the title's genres than all profiles do; 1 is equal, 0 unknown."""
        usual = self.rows.viewers @ self.rows.genres
        usual /= max(1.0, usual.sum())
        affinity: Floats = (shares / (usual + 0.01)) @ self.rows.genres.T
        return affinity


def _log_share(views: Floats) -> Floats:
    """Log of the views in a thousand; finite without any."""
    share: Floats = (views + 0.5) / (views.sum() + 0.5)
    logs: Floats = np.log(share * 1000 + 0.1)
    return logs


def _lift(world: Floats, by_country: Floats) -> Floats:
    """Log of a title's share of views in the country over its share in the world; 0 for an unknown country."""
    usual = (world + 0.5) / (world.sum() + 0.5)
    counts = np.concatenate([by_country, np.zeros((1, len(world)), np.float32)])
    shares = (counts + COUNTRY_PRIOR * usual) / (counts.sum(1, keepdims=True) + COUNTRY_PRIOR * usual.sum())
    lift: Floats = np.log(shares / usual)
    return lift
