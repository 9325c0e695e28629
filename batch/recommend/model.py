"""The interface of a recommender, and how its scores become lists."""

from typing import Protocol

import numpy as np

from batch.recommend.interactions import Floats, Interactions, Ints


class Scorer(Protocol):
    """A fitted model."""

    def __call__(self, profiles: Ints) -> Floats:
        """A finite score of every title for each of these profile numbers; higher is better.

        Watched titles may have any score: ``top_k`` excludes them.
        """
        ...


class Model(Protocol):
    """A recommender with its parameters: a frozen dataclass, whose ``repr`` is printed."""

    def fit(self, history: Interactions, at: int) -> Scorer:
        """Learn from ``history``, which ends before ``at`` (milliseconds since the epoch)."""
        ...


def top_k(scores: Floats, watched: Floats, count: int) -> Ints:
    """Each row's ``count`` best unwatched titles, best first; a tie goes to the lower number.

    -1 fills a row with fewer unwatched titles.
    """
    open_to = np.where(watched > 0, -np.inf, scores)
    order = np.argsort(-open_to, axis=1, kind="stable")[:, :count]
    return np.where(np.isneginf(np.take_along_axis(open_to, order, axis=1)), -1, order)
