"""Tunes and judges models on one plan after the other: every model by the same lists, measures and intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Floats, Interactions, Ints
from batch.recommend.metrics import Doubles, coverage, long_tail_share, ndcg, novelty, recall
from batch.recommend.model import Model, Scorer
from batch.recommend.ranking import best
from batch.recommend.temporal_split import Plan

LIST = 100
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Competitor:
    """A kind of model with the parameters to choose from."""

    name: str
    candidates: tuple[Model, ...]
    serves_cold: bool = False
    """It has something to say to a profile without history."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose lists are judged, and by what."""

    profiles: Ints
    relevant: Floats
    """Rows as ``profiles``: 1 for each title watched in the window and not before."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One model on one window; the arrays have one entry a profile."""

    competitor: str
    chosen: str
    """The parameters that won on the tuning window."""
    profiles: Ints
    ndcg10: Doubles
    ndcg100: Doubles
    recall100: Doubles
    coverage20: float
    novelty: float
    long_tail: float


@dataclass(frozen=True, slots=True)
class Window:
    plan: Plan
    known: list[Judged]
    """By profiles with a history before the cut."""
    cold: list[Judged]
    """By those without; only what serves them."""


def audiences(history: Interactions, window: Interactions) -> tuple[Audience, Audience]:
    """Profiles that watched something new to them in the window: those with a history before it, and those without."""
    fresh = window.watched * (1 - history.watched)
    has_new, has_past = fresh.any(1), history.watched.any(1)
    known, cold = (np.flatnonzero(has_new & past) for past in (has_past, ~has_past))
    return Audience(known, fresh[known]), Audience(cold, fresh[cold])


def evaluate(table: Interactions, plan: Plan, competitors: Sequence[Competitor], progress: Progress) -> Window:
    """``progress`` hears of each competitor that is about to be tuned and tested."""
    history, window = table.before(plan.test_from), table.between(plan.test_from, plan.test_until)
    known, cold = audiences(history, window)
    found = Window(plan, [], [])
    for competitor in competitors:
        progress(f"{plan.name}: {competitor.name}")
        model = tuned(table, plan, competitor)
        scorer = model.fit(history, plan.test_from)
        found.known.append(judge(competitor.name, repr(model), scorer, history, known))
        if competitor.serves_cold and len(cold.profiles):
            found.cold.append(judge(competitor.name, repr(model), scorer, history, cold))
    return found


def tuned(table: Interactions, plan: Plan, competitor: Competitor) -> Model:
    """The candidate with the best NDCG@100 on the tuning window; of equal ones the first. Sees nothing of the test."""
    if len(competitor.candidates) == 1:
        return competitor.candidates[0]
    history, window = table.before(plan.tune_from), table.between(plan.tune_from, plan.test_from)
    known, _ = audiences(history, window)

    def quality(model: Model) -> float:
        scorer = model.fit(history, plan.tune_from)
        return float(judge(competitor.name, repr(model), scorer, history, known).ndcg100.mean())

    return max(competitor.candidates, key=quality)


def judge(name: str, chosen: str, scorer: Scorer, history: Interactions, audience: Audience) -> Judged:
    """A model that was fitted on the history, by an audience of at least one."""
    lists = best(scorer(audience.profiles), history.watched[audience.profiles], LIST)
    return Judged(
        competitor=name,
        chosen=chosen,
        profiles=audience.profiles,
        ndcg10=ndcg(lists, audience.relevant, 10),
        ndcg100=ndcg(lists, audience.relevant, 100),
        recall100=recall(lists, audience.relevant, 100),
        coverage20=coverage(lists, len(history.titles)),
        novelty=novelty(lists, history.views, int(history.watched.any(1).sum())),
        long_tail=long_tail_share(lists, history.views),
    )
