"""From scores to lists: the best titles first, without those already watched."""

import numpy as np

from batch.recommend.interactions import Floats, Ints


def best(scores: Floats, watched: Floats, count: int) -> Ints:
    """Each row's ``count`` best titles, best first; of equal scores the title with the lower number.

    Watched titles are never among them; where fewer are left, the row ends in -1.
    """
    open_to = np.where(watched > 0, -np.inf, scores)
    order = np.argsort(-open_to, axis=1, kind="stable")[:, :count]
    return np.where(np.isneginf(np.take_along_axis(open_to, order, axis=1)), -1, order)
