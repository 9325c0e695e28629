"""The ranker: learns from earlier weeks how features at a moment tell what was watched after it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from batch.recommend.choice import Example, learn
from batch.recommend.features import Features
from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.model import Scorer
from batch.recommend.titles import Facts

AT_ONCE = 256
"""Profiles whose features are in memory at a time."""
LEARN_FROM = 1_000
"""Profiles an example holds at most: enough for a dozen weights."""


class TooLittleHistory(Exception):
    """No earlier weeks to learn from: a service that has just begun."""


@dataclass(frozen=True)
class Ranker:
    """Looks at up to ``examples`` earlier moments, each with the ``horizon_days`` after it, half of which overlap.

    A history that is shorter than three horizons gets shorter ones. All end before the moment of fitting. ``facts``: of
    the titles that are known, by id.
    """

    facts: Mapping[str, Facts] = field(default_factory=dict, repr=False)
    l2: float = 1.0
    horizon_days: int = 28
    examples: int = 4

    def fit(self, history: Interactions, at: int) -> Scorer:
        """TooLittleHistory when at no earlier moment anybody had both a past and a future."""
        examples = list(self._examples(history, at))
        if not examples:
            raise TooLittleHistory(f"{len(history)} views hold nothing to learn from yet")
        pull = learn(examples, self.l2)
        features = Features.at(history, at, self.facts)

        def scorer(profiles: Ints) -> Floats:
            parts = [profiles[start : start + AT_ONCE] for start in range(0, len(profiles), AT_ONCE)]
            empty = np.zeros((0, len(history.titles)), np.float32)
            return np.concatenate([empty, *(pull.scores(features.of(part)) for part in parts)])

        return scorer

    def _examples(self, history: Interactions, at: int) -> Iterator[Example]:
        span = at - int(history.time[0]) if len(history) else 0
        horizon = min(self.horizon_days * DAY_MS, span // 3)
        for number in range(self.examples):
            moment = at - horizon - number * horizon // 2
            past, future = history.before(moment), history.between(moment, moment + horizon)
            chosen = future.watched * (1 - past.watched)
            profiles = np.flatnonzero(chosen.any(1) & past.watched.any(1))
            if len(profiles) > LEARN_FROM:
                profiles = np.sort(np.random.default_rng(number).choice(profiles, LEARN_FROM, replace=False))
            if len(profiles):
                features = Features.at(past, moment, self.facts)
                yield Example(features.of(profiles), 1 - past.watched[profiles], chosen[profiles])
