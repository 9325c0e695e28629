"""What the catalogue says of titles, as far as models use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Floats


@dataclass(frozen=True, slots=True)
class Facts:
    year: int | None = None
    genres: tuple[str, ...] = ()


def decade(year: float | None) -> float:
    """In decades from 1990; 0 where unknown."""
    return (year - 1990) / 10 if year else 0


def decades(titles: Sequence[str], facts: Mapping[str, Facts]) -> Floats:
    """Release year of each title in decades from 1990; 0 where unknown."""
    return np.array([decade(facts.get(title, Facts()).year) for title in titles], np.float32)


def genre_names(titles: Sequence[str], facts: Mapping[str, Facts]) -> list[str]:
    return sorted({genre for title in titles for genre in facts.get(title, Facts()).genres})


def genres(titles: Sequence[str], facts: Mapping[str, Facts]) -> Floats:
    """Titles × ``genre_names``: a title's one vote, shared among its genres; a row of zeros where none is known."""
    names = genre_names(titles, facts)
    votes = np.zeros((len(titles), len(names)), np.float32)
    for row, title in enumerate(titles):
        for genre in (own := facts.get(title, Facts()).genres):
            votes[row, names.index(genre)] = 1 / len(own)
    return votes
