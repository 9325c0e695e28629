"""The ranker: learns from earlier weeks how the features at a moment predict what was watched after it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from batch.recommend.encoder import Encoder
from batch.recommend.feature_rows import FeatureSource
from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.logit import Example, LogitModel
from batch.recommend.model import Scorer

AT_ONCE = 256
"""Profiles whose features are in memory at a time."""
MAX_EXAMPLE_PROFILES = 1_000
"""Enough for a dozen weights."""
HORIZON_DAYS = 28
EXAMPLES = 4


class TooLittleHistory(Exception):
    """There are no earlier weeks to learn from: the service is new."""


@dataclass(frozen=True)
class Ranker:
    """Learns at the earlier moments of ``training_times`` from what was watched in the horizon after each."""

    source: FeatureSource = field(repr=False)
    l2: float = 1.0

    def fit(self, history: Interactions, at: int) -> Scorer:
        """Raises TooLittleHistory if at no earlier moment a profile had views both before and after it."""
        examples = list(self._examples(history, at))
        if not examples or (now := self.source.at(history, at)) is None:
            raise TooLittleHistory(f"{len(history)} views are too few to learn from")
        model, encoder = LogitModel.fit(examples, self.l2), Encoder.of(now)

        def scorer(profiles: Ints) -> Floats:
            parts = [profiles[start : start + AT_ONCE] for start in range(0, len(profiles), AT_ONCE)]
            empty = np.zeros((0, len(history.titles)), np.float32)
            return np.concatenate([empty, *(model.scores(encoder.encode(part)) for part in parts)])

        return scorer

    def _examples(self, history: Interactions, at: int) -> Iterator[Example]:
        horizon, moments = training_times(history, at)
        for number, moment in enumerate(moments):
            if (rows := self.source.at(history, moment)) is None:
                continue
            chosen = history.between(moment, moment + horizon).watched * (1 - rows.watched)
            profiles = np.flatnonzero(chosen.any(1) & rows.watched.any(1))
            if len(profiles) > MAX_EXAMPLE_PROFILES:
                profiles = np.random.default_rng(number).choice(profiles, MAX_EXAMPLE_PROFILES, replace=False)
                profiles = np.sort(profiles)
            if len(profiles):
                yield Example(Encoder.of(rows).encode(profiles), 1 - rows.watched[profiles], chosen[profiles])


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
