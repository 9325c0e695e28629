"""Tunes and evaluates models on one split after the other, all with the same lists, metrics and intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Doubles, Floats, Interactions, Ints
from batch.recommend.model import Model, Scorer, top_k
from bench.evaluate.metrics import coverage, long_tail_share, ndcg, novelty, recall
from bench.evaluate.temporal_split import Split

LIST = 100
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind of model, and the variants to choose from."""

    name: str
    variants: tuple[Model, ...]
    serves_cold: bool = False
    """Whether it can rank for a profile without a history."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The profiles whose lists are evaluated, and what is relevant to them."""

    profiles: Ints
    relevant: Floats
    """``profiles`` × titles: 1 for each title watched in the window and not before."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One model on one window; the arrays have one entry per profile."""

    candidate: str
    chosen: str
    """The variant that was best on the tuning window."""
    profiles: Ints
    ndcg10: Doubles
    ndcg100: Doubles
    recall100: Doubles
    coverage20: float
    novelty: float
    long_tail: float


@dataclass(frozen=True, slots=True)
class Window:
    split: Split
    known: list[Evaluated]
    """On profiles with a history before the cut."""
    cold: list[Evaluated]
    """On profiles without one; only candidates that serve them."""


def audiences(history: Interactions, window: Interactions) -> tuple[Audience, Audience]:
    """Profiles that watched a new title in the window: those with a history before it, and those without."""
    fresh = window.watched * (1 - history.watched)
    has_new, has_past = fresh.any(1), history.watched.any(1)
    known, cold = (np.flatnonzero(has_new & past) for past in (has_past, ~has_past))
    return Audience(known, fresh[known]), Audience(cold, fresh[cold])


def evaluate(table: Interactions, split: Split, candidates: Sequence[Candidate], progress: Progress) -> Window:
    """``progress`` is called with each candidate before it is tuned and tested."""
    history, window = table.before(split.test_from), table.between(split.test_from, split.test_until)
    known, cold = audiences(history, window)
    found = Window(split, [], [])
    for candidate in candidates:
        progress(f"{split.name}: {candidate.name}")
        model = tuned(table, split, candidate)
        scorer = model.fit(history, split.test_from)
        found.known.append(judge(candidate.name, repr(model), scorer, history, known))
        if candidate.serves_cold and len(cold.profiles):
            found.cold.append(judge(candidate.name, repr(model), scorer, history, cold))
    return found


def tuned(table: Interactions, split: Split, candidate: Candidate) -> Model:
    """The first variant with the best NDCG@100 on the tuning window. Reads nothing of the test window."""
    if len(candidate.variants) == 1:
        return candidate.variants[0]
    history, window = table.before(split.tune_from), table.between(split.tune_from, split.test_from)
    known, _ = audiences(history, window)

    def quality(model: Model) -> float:
        scorer = model.fit(history, split.tune_from)
        return float(judge(candidate.name, repr(model), scorer, history, known).ndcg100.mean())

    return max(candidate.variants, key=quality)


def judge(name: str, chosen: str, scorer: Scorer, history: Interactions, audience: Audience) -> Evaluated:
    """Evaluate a model that was fitted on ``history``. The audience has at least one profile."""
    lists = top_k(scorer(audience.profiles), history.watched[audience.profiles], LIST)
    return Evaluated(
        candidate=name,
        chosen=chosen,
        profiles=audience.profiles,
        ndcg10=ndcg(lists, audience.relevant, 10),
        ndcg100=ndcg(lists, audience.relevant, 100),
        recall100=recall(lists, audience.relevant, 100),
        coverage20=coverage(lists, len(history.titles)),
        novelty=novelty(lists, history.views, int(history.watched.any(1).sum())),
        long_tail=long_tail_share(lists, history.views),
    )
