"""The ranker: learns from earlier weeks how features at a moment tell what was watched after it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from batch.recommend.encoder import Encoder
from batch.recommend.features_from_history import Computed
from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.logit import Example, learn
from batch.recommend.model import Scorer
from batch.recommend.rows import FeatureSource

AT_ONCE = 256
"""Profiles whose features are in memory at a time."""
LEARN_FROM = 1_000
"""Profiles an example holds at most: enough for a dozen weights."""
HORIZON_DAYS = 28
EXAMPLES = 4


class TooLittleHistory(Exception):
    """No earlier weeks to learn from: a service that has just begun."""


@dataclass(frozen=True)
class Ranker:
    """Looks at the earlier moments of ``looks``, each with what was watched in the horizon after it."""

    source: FeatureSource = field(default_factory=Computed, repr=False)
    l2: float = 1.0

    def fit(self, history: Interactions, at: int) -> Scorer:
        """TooLittleHistory when at no earlier moment anybody had both a past and a future."""
        examples = list(self._examples(history, at))
        if not examples or (now := self.source.at(history, at)) is None:
            raise TooLittleHistory(f"{len(history)} views hold nothing to learn from yet")
        pull, encoder = learn(examples, self.l2), Encoder.of(now)

        def scorer(profiles: Ints) -> Floats:
            parts = [profiles[start : start + AT_ONCE] for start in range(0, len(profiles), AT_ONCE)]
            empty = np.zeros((0, len(history.titles)), np.float32)
            return np.concatenate([empty, *(pull.scores(encoder.encode(part)) for part in parts)])

        return scorer

    def _examples(self, history: Interactions, at: int) -> Iterator[Example]:
        horizon, moments = looks(history, at)
        for number, moment in enumerate(moments):
            if (rows := self.source.at(history, moment)) is None:
                continue
            chosen = history.between(moment, moment + horizon).watched * (1 - rows.watched)
            profiles = np.flatnonzero(chosen.any(1) & rows.watched.any(1))
            if len(profiles) > LEARN_FROM:
                profiles = np.sort(np.random.default_rng(number).choice(profiles, LEARN_FROM, replace=False))
            if len(profiles):
                yield Example(Encoder.of(rows).encode(profiles), 1 - rows.watched[profiles], chosen[profiles])


def looks(history: Interactions, at: int) -> tuple[int, list[int]]:
    """How long to look ahead, and from which moments, so that all of it is over at ``at``; half of one look and the
    next overlap.

    Whole days, since feature tables have a row a day. A history of less than three horizons gets shorter ones, one of
    less than three days none.
    """
    span = (at - int(history.time[0])) // DAY_MS if len(history) else 0
    days = min(HORIZON_DAYS, span // 3)
    if not days:
        return 0, []
    step = max(1, days // 2)
    return days * DAY_MS, [at - (days + number * step) * DAY_MS for number in range(EXAMPLES)]
