"""Feature rows from a history, for data sets that have no feature tables. The definitions are those of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from batch.features.definitions import NEWEST_TITLES, TASTE_HALF_LIFE_DAYS, VIEW_DAYS
from batch.recommend.feature_rows import FeatureRows
from batch.recommend.interactions import DAY_MS, Floats, Interactions
from batch.recommend.titles import TitleMetadata, decades, genres


@dataclass(frozen=True)
class FeaturesFromHistory:
    """A ``FeatureSource`` with rows for every moment. ``metadata``: of each known title, by id."""

    metadata: Mapping[str, TitleMetadata] = field(default_factory=dict)

    def at(self, history: Interactions, moment: int) -> FeatureRows:
        past = history.before(moment)
        years, votes = decades(history.titles, self.metadata), genres(history.titles, self.metadata)
        known = np.array([bool(self.metadata.get(title, TitleMetadata()).year) for title in history.titles])
        month = past.between(moment - 28 * DAY_MS, moment)
        return FeatureRows(
            span_days=(moment - int(past.time[0])) / DAY_MS if len(past) else 0,
            views={days: _views(past.between(moment - days * DAY_MS, moment)) for days in VIEW_DAYS},
            viewers=past.views,
            views_28d_by_country=_by_country(month),
            decades=years,
            genres=votes,
            home=past.home,
            genre_shares=_genre_shares(past, moment, votes),
            mean_decade=_mean_where(past.watched, years, known),
            newest=_newest(past),
            watched=past.watched,
        )


def _views(window: Interactions) -> Floats:
    return np.bincount(window.title, weights=window.weight, minlength=len(window.titles)).astype(np.float32)


def _by_country(window: Interactions) -> Floats:
    counts = np.zeros((len(window.countries), len(window.titles)), np.float32)
    known = window.country >= 0
    np.add.at(counts, (window.country[known], window.title[known]), window.weight[known])
    return counts


def _genre_shares(past: Interactions, moment: int, title_votes: Floats) -> Floats:
    votes = np.zeros((len(past.profiles), title_votes.shape[1]), np.float32)
    weight = 0.5 ** ((moment - past.time) / DAY_MS / TASTE_HALF_LIFE_DAYS)
    np.add.at(votes, past.profile, title_votes[past.title] * weight[:, None].astype(np.float32))
    total = votes.sum(1, keepdims=True)
    shares: Floats = votes / np.maximum(total, 1e-30)
    return shares


def _mean_where(watched: Floats, values: Floats, known: NDArray[np.bool_]) -> Floats:
    count = np.maximum(watched @ known.astype(np.float32), 1)
    mean: Floats = (watched @ values / count).astype(np.float32)
    return mean


def _newest(past: Interactions) -> Floats:
    newest = np.zeros((len(past.profiles), len(past.titles)), np.float32)
    room = np.full(len(past.profiles), NEWEST_TITLES)
    for profile, title in zip(past.profile[::-1], past.title[::-1], strict=True):
        if room[profile]:
            newest[profile, title] = 1
            room[profile] -= 1
    return newest
