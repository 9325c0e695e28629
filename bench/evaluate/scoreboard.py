"""Results as rows: one per candidate, over one or several windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Doubles, Ints
from bench.evaluate.evaluation import Evaluated

BASELINE = "popularity, 14 days"
RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Interval:
    mean: float
    low: float
    high: float
    """95 % of the resampled means lie between ``low`` and ``high``."""

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Row:
    candidate: str
    ndcg10: Interval
    ndcg100: Interval
    lead: Interval | None
    """NDCG@100 minus the baseline's for the same profiles; None for the baseline."""
    recall100: Interval
    coverage20: float
    novelty: float
    long_tail: float

    @property
    def beats_the_baseline(self) -> bool:
        return self.lead is not None and self.lead.low > 0


def rows(windows: Sequence[Sequence[Evaluated]]) -> list[Row]:
    """Pools the profiles of all windows. Metrics of all lists together are averaged over the windows.

    Every window has the same candidates in the same order. Empty without any profiles.
    """
    by_candidate = {each[0].candidate: each for each in zip(*windows, strict=True)}
    if not by_candidate:
        return []
    baseline = _all(by_candidate[BASELINE], "ndcg100")
    return [_row(name, judged, baseline) for name, judged in by_candidate.items()]


def _row(name: str, judged: Sequence[Evaluated], baseline: Doubles) -> Row:
    profiles = np.concatenate([each.profiles for each in judged])

    def together(measure: str) -> Interval:
        return interval(_all(judged, measure), profiles)

    def mean(measure: str) -> float:
        return float(np.mean([getattr(each, measure) for each in judged]))

    return Row(
        candidate=name,
        ndcg10=together("ndcg10"),
        ndcg100=together("ndcg100"),
        lead=None if name == BASELINE else interval(_all(judged, "ndcg100") - baseline, profiles),
        recall100=together("recall100"),
        coverage20=mean("coverage20"),
        novelty=mean("novelty"),
        long_tail=mean("long_tail"),
    )


def _all(judged: Sequence[Evaluated], measure: str) -> Doubles:
    return np.concatenate([getattr(each, measure) for each in judged])


def interval(values: Doubles, profiles: Ints, seed: int = 1) -> Interval:
    """The mean of ``values``; ``profiles`` has the profile of each value."""
    _, codes = np.unique(profiles, return_inverse=True)
    count = codes.max() + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    weights = drawn[:, codes]
    means = (weights @ values) / weights.sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high))
