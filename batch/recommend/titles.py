"""The metadata of titles that models use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Floats


@dataclass(frozen=True, slots=True)
class TitleMetadata:
    year: int | None = None
    genres: tuple[str, ...] = ()


def decade(year: float | None) -> float:
    """In decades from 1990; 0 if unknown."""
    return (year - 1990) / 10 if year else 0


def decades(titles: Sequence[str], metadata: Mapping[str, TitleMetadata]) -> Floats:
    """Release year of each title in decades from 1990; 0 if unknown."""
    return np.array([decade(metadata.get(title, TitleMetadata()).year) for title in titles], np.float32)


def genre_names(titles: Sequence[str], metadata: Mapping[str, TitleMetadata]) -> list[str]:
    return sorted({genre for title in titles for genre in metadata.get(title, TitleMetadata()).genres})


def genres(titles: Sequence[str], metadata: Mapping[str, TitleMetadata]) -> Floats:
    """Titles × ``genre_names``: a title's one vote, divided among its genres; zeros if it has none."""
    names = genre_names(titles, metadata)
    votes = np.zeros((len(titles), len(names)), np.float32)
    for row, title in enumerate(titles):
        title_genres = metadata.get(title, TitleMetadata()).genres
        for genre in title_genres:
            votes[row, names.index(genre)] = 1 / len(title_genres)
    return votes
