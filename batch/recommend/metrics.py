"""How good lists are: accuracy per profile, and what the lists as a whole look like. Pure; ``lists`` are from ``best``.

``relevant``: profiles × titles, 1 for what the profile watched later and had not watched before; at least one each.
"""

import numpy as np
from numpy.typing import NDArray

from batch.recommend.interactions import Floats, Ints

Doubles = NDArray[np.float64]


def hits(lists: Ints, relevant: Floats) -> Doubles:
    """1 where the list's title is relevant, 0 elsewhere and where the list has ended."""
    return np.where(lists >= 0, np.take_along_axis(relevant, np.maximum(lists, 0), axis=1), 0).astype(np.float64)


def ndcg(lists: Ints, relevant: Floats, k: int) -> Doubles:
    """Per profile: a hit at place p counts 1 ÷ log₂(p + 1), over what a perfect list of k would get."""
    worth = 1 / np.log2(np.arange(2, k + 2))
    found = hits(lists[:, :k], relevant)
    ideal = np.cumsum(worth)[np.minimum(relevant.sum(1).astype(int), k) - 1]
    gained = found @ worth[: found.shape[1]]
    shares: Doubles = gained / ideal
    return shares


def recall(lists: Ints, relevant: Floats, k: int) -> Doubles:
    """Per profile: the part of what is relevant that the first k hold."""
    part: Doubles = hits(lists[:, :k], relevant).sum(1) / relevant.sum(1)
    return part


def coverage(lists: Ints, titles: int, k: int = 20) -> float:
    """The part of the catalogue that is in anybody's first k."""
    shown = lists[:, :k]
    return len(np.unique(shown[shown >= 0])) / titles


def novelty(lists: Ints, views: Floats, profiles: int, k: int = 20) -> float:
    """Mean −log₂ of the share of profiles that have watched what is in the first k; unwatched counts as half a view."""
    shown = lists[:, :k]
    shares = np.maximum(views, 0.5) / max(1, profiles)
    return float(-np.log2(shares[shown[shown >= 0]]).mean())


def long_tail_share(lists: Ints, views: Floats, k: int = 20) -> float:
    """The part of the first k that is not among the head: the most watched titles that make 80 % of all views."""
    order = np.argsort(-views, kind="stable")
    before = np.cumsum(views[order]) - views[order]
    head = order[before < 0.8 * views.sum()]
    shown = lists[:, :k]
    return float(1 - np.isin(shown[shown >= 0], head).mean())
