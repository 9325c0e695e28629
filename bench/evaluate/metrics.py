"""Metrics of lists: accuracy per profile, and properties of all lists together. Pure. ``lists`` come from ``top_k``.

``relevant``: profiles × titles, 1 for titles that the profile watched later and not before; at least one per profile.
"""

import numpy as np

from batch.recommend.interactions import Doubles, Floats, Ints


def hits(lists: Ints, relevant: Floats) -> Doubles:
    """1 where the list has a relevant title, else 0."""
    return np.where(lists >= 0, np.take_along_axis(relevant, np.maximum(lists, 0), axis=1), 0).astype(np.float64)


def ndcg(lists: Ints, relevant: Floats, k: int) -> Doubles:
    """Per profile: a hit at position p counts 1 ÷ log₂(p + 1), divided by the value of a perfect list of k."""
    gain = 1 / np.log2(np.arange(2, k + 2))
    found = hits(lists[:, :k], relevant)
    ideal = np.cumsum(gain)[np.minimum(relevant.sum(1).astype(int), k) - 1]
    gained = found @ gain[: found.shape[1]]
    shares: Doubles = gained / ideal
    return shares


def recall(lists: Ints, relevant: Floats, k: int) -> Doubles:
    """Per profile: the share of relevant titles in the first k."""
    part: Doubles = hits(lists[:, :k], relevant).sum(1) / relevant.sum(1)
    return part


def coverage(lists: Ints, titles: int, k: int = 20) -> float:
    """The share of the catalogue in any profile's first k."""
    shown = lists[:, :k]
    return len(np.unique(shown[shown >= 0])) / titles


def novelty(lists: Ints, views: Floats, profiles: int, k: int = 20) -> float:
    """Mean −log₂ of the share of profiles that watched a title in the first k; no views count as half a view."""
    shown = lists[:, :k]
    shares = np.maximum(views, 0.5) / max(1, profiles)
    return float(-np.log2(shares[shown[shown >= 0]]).mean())


def long_tail_share(lists: Ints, views: Floats, k: int = 20) -> float:
    """The share of the first k outside the head: the most watched titles that make up 80 % of all views."""
    order = np.argsort(-views, kind="stable")
    before = np.cumsum(views[order]) - views[order]
    head = order[before < 0.8 * views.sum()]
    shown = lists[:, :k]
    return float(1 - np.isin(shown[shown >= 0], head).mean())
