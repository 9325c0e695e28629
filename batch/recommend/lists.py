"""A model's scores -> the stored lists: for profiles with a history, profiles without one, and countries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from msgspec.structs import replace

from batch.recommend.interactions import Floats, Interactions, Ints
from batch.recommend.model import Model, Scorer, top_k
from batch.recommend.popularity import Popularity
from batch.recommend.ranker import AT_ONCE, TooLittleHistory
from batch.recommend.reasons import Reasons
from batch.recommend.titles import TitleMetadata
from domain.recommendations.model import WORLD, Audience, Reason, Recommendation, RecommendationList

LENGTH = 60
"""Titles in a list: more than are shown, since readers skip titles that were watched after the run."""
COLD = Popularity(days=14, by_country=True)
"""For profiles without a history."""


@dataclass(frozen=True, slots=True)
class Lists:
    model: str
    """The name of the model that was used."""
    profiles: dict[str, RecommendationList]
    countries: dict[str, RecommendationList]
    """By country; ``WORLD`` is for profiles without a known country."""

    def dated(self, made_at: int) -> "Lists":
        """The same lists with another ``made_at``."""
        profiles, countries = (
            {owner: replace(each, made_at=made_at) for owner, each in lists.items()}
            for lists in (self.profiles, self.countries)
        )
        return Lists(self.model, profiles, countries)


class ListSink(Protocol):
    async def write(self, audience: Audience, lists: Mapping[str, RecommendationList]) -> None:
        """Replace each owner's list, unless the stored one is newer. Idempotent.

        Raises TransientError; some lists may be written then.
        """
        ...


def recommend(
    history: Interactions,
    at: int,
    model: Model,
    fallback: Model,
    everybody: Mapping[str, str | None],
    metadata: Mapping[str, TitleMetadata],
) -> Lists:
    """Lists as of ``at`` from a history that ends before it, by the ``fallback`` if the model has too little history.

    ``everybody``: the country of each profile that gets a list, also of profiles without a history.
    ``metadata``: of each known title, by id.
    """
    reasons = Reasons.of(history, at, metadata)
    name, scorer = _fitted(model, fallback, history, at)
    profiles: dict[str, RecommendationList] = {}
    for start in range(0, len(history.profiles), AT_ONCE):
        part = np.arange(start, min(start + AT_ONCE, len(history.profiles)))
        scores = scorer(part)
        for profile, row, titles in zip(part, scores, top_k(scores, history.watched[part], LENGTH), strict=True):
            items = _items(history.titles, row, titles, [reasons.why(int(profile), int(title)) for title in titles])
            profiles[history.profiles[profile]] = RecommendationList(name, at, tuple(items))
    countries = dict(_by_country(history, at, reasons))
    cold = {
        profile: countries.get(country or WORLD, countries[WORLD])
        for profile, country in everybody.items()
        if profile not in profiles
    }
    return Lists(name, profiles | cold, countries)


def _fitted(model: Model, fallback: Model, history: Interactions, at: int) -> tuple[str, Scorer]:
    try:
        return "ranker", model.fit(history, at)
    except TooLittleHistory:
        return "popularity by taste", fallback.fit(history, at)


def _by_country(history: Interactions, at: int, reasons: Reasons) -> Iterator[tuple[str, RecommendationList]]:
    counts = COLD.counts(history, at)
    nothing = np.zeros((1, len(history.titles)), np.float32)
    for place, country in enumerate((*history.countries, WORLD)):
        number = -1 if country == WORLD else place
        titles = top_k(counts[number : number + 1 or None], nothing, LENGTH)[0]
        why = [reasons.where(number, int(title)) for title in titles]
        yield country, RecommendationList("popularity", at, tuple(_items(history.titles, counts[number], titles, why)))


def _items(
    names: Sequence[str], scores: Floats, titles: Ints, why: Sequence[tuple[Reason, str | None]]
) -> Iterator[Recommendation]:
    for title, (reason, about) in zip(titles, why, strict=True):
        if title >= 0:
            yield Recommendation(names[title], round(float(scores[title]), 4), reason, about)
