"""The ranker: learns from earlier weeks how the features at a moment predict what was watched after it.

It knows about titles with evidence, those that a few profiles have watched. Every title of a history is watched some
day. So if titles that nobody had watched yet were among the choices, it would learn that the rarest are watched next.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from batch.recommend.encoder import Encoder
from batch.recommend.feature_rows import FeatureSource
from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.logit import Example, LogitModel
from batch.recommend.model import Model, Scorer

AT_ONCE = 256
"""Profiles whose features are in memory at a time."""
MAX_EXAMPLE_PROFILES = 1_000
"""Enough for a dozen weights."""
HORIZON_DAYS = 28
EXAMPLES = 4
MIN_VIEWS = 5
"""Profiles that must have watched a title before the ranker learns from it, or ranks it."""
MIN_TITLES = 60
"""A list's worth: with fewer titles of ``MIN_VIEWS`` there is too little history."""


class TooLittleHistory(Exception):
    """There is too little to learn from: the service is new."""


@dataclass(frozen=True)
class Ranker:
    """Learns at the earlier moments of ``training_times`` from what was watched in the horizon after each.

    Titles with fewer than ``min_views`` come after all others, in the order of ``fallback``.
    """

    source: FeatureSource = field(repr=False)
    fallback: Model = field(repr=False)
    l2: float = 1.0
    min_views: int = MIN_VIEWS
    min_titles: int = MIN_TITLES

    def fit(self, history: Interactions, at: int) -> Scorer:
        """Raises TooLittleHistory if fewer than ``min_titles`` have ``min_views``, or if at no earlier moment a profile
        had views both before and after it."""
        evident = history.views >= self.min_views
        if (count := int(evident.sum())) < self.min_titles:
            raise TooLittleHistory(f"{count} titles with {self.min_views} views or more are too few to learn from")
        examples = list(self._examples(history, at))
        if not examples or (now := self.source.at(history, at)) is None:
            raise TooLittleHistory(f"{len(history)} views are too few to learn from")
        model, encoder, fallback = LogitModel.fit(examples, self.l2), Encoder.of(now), self.fallback.fit(history, at)

        def scores(profiles: Ints) -> Floats:
            ranked, rest = model.scores(encoder.encode(profiles)), fallback(profiles)
            least = ranked.min(1, keepdims=True) - 1
            return np.where(evident, ranked, least + rest - rest.max(1, keepdims=True))

        def scorer(profiles: Ints) -> Floats:
            parts = [profiles[start : start + AT_ONCE] for start in range(0, len(profiles), AT_ONCE)]
            empty = np.zeros((0, len(history.titles)), np.float32)
            return np.concatenate([empty, *map(scores, parts)])

        return scorer

    def _examples(self, history: Interactions, at: int) -> Iterator[Example]:
        horizon, moments = training_times(history, at)
        for number, moment in enumerate(moments):
            if (rows := self.source.at(history, moment)) is None:
                continue
            open_to = (1 - rows.watched) * (rows.viewers >= self.min_views)
            chosen = history.between(moment, moment + horizon).watched * open_to
            profiles = np.flatnonzero(chosen.any(1) & rows.watched.any(1))
            if len(profiles) > MAX_EXAMPLE_PROFILES:
                profiles = np.random.default_rng(number).choice(profiles, MAX_EXAMPLE_PROFILES, replace=False)
                profiles = np.sort(profiles)
            if len(profiles):
                yield Example(Encoder.of(rows).encode(profiles), open_to[profiles], chosen[profiles])


def training_times(history: Interactions, at: int) -> tuple[int, list[int]]:
    """The horizon, and the moments to learn at; all horizons end by ``at``, and two neighbours overlap by half.

    In whole days, since feature tables have a row per day. A history of less than three horizons gets shorter ones, a
    history of less than three days none.
    """
    span = (at - int(history.time[0])) // DAY_MS if len(history) else 0
    days = min(HORIZON_DAYS, span // 3)
    if not days:
        return 0, []
    step = max(1, days // 2)
    return days * DAY_MS, [at - (days + number * step) * DAY_MS for number in range(EXAMPLES)]
