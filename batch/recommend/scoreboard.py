"""What was judged, as rows: one a competitor, over one window or several together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.bootstrap import Interval, interval
from batch.recommend.evaluation import Judged
from batch.recommend.metrics import Doubles

BAR = "popularity, 14 days"


@dataclass(frozen=True, slots=True)
class Row:
    competitor: str
    ndcg10: Interval
    ndcg100: Interval
    lead: Interval | None
    """NDCG@100 less the bar's for the same profiles; None for the bar itself."""
    recall100: Interval
    coverage20: float
    novelty: float
    long_tail: float

    @property
    def beats_the_bar(self) -> bool:
        return self.lead is not None and self.lead.low > 0


def rows(windows: Sequence[Sequence[Judged]]) -> list[Row]:
    """Profiles of all windows together; what speaks of lists as a whole is the mean over the windows.

    Every window has the same competitors in the same order. Empty if nobody was judged.
    """
    by_competitor = {each[0].competitor: each for each in zip(*windows, strict=True)}
    if not by_competitor:
        return []
    bar = _all(by_competitor[BAR], "ndcg100")
    return [_row(name, judged, bar) for name, judged in by_competitor.items()]


def _row(name: str, judged: Sequence[Judged], bar: Doubles) -> Row:
    profiles = np.concatenate([each.profiles for each in judged])

    def together(measure: str) -> Interval:
        return interval(_all(judged, measure), profiles)

    def mean(measure: str) -> float:
        return float(np.mean([getattr(each, measure) for each in judged]))

    return Row(
        competitor=name,
        ndcg10=together("ndcg10"),
        ndcg100=together("ndcg100"),
        lead=None if name == BAR else interval(_all(judged, "ndcg100") - bar, profiles),
        recall100=together("recall100"),
        coverage20=mean("coverage20"),
        novelty=mean("novelty"),
        long_tail=mean("long_tail"),
    )


def _all(judged: Sequence[Judged], measure: str) -> Doubles:
    return np.concatenate([getattr(each, measure) for each in judged])
