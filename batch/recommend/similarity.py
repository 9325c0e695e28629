"""How similar titles are by who watched them: features of the ranker, reasons, and recommenders to compare with."""

import numpy as np

from batch.recommend.interactions import Floats


def cosine(watched: Floats) -> Floats:
    """Titles × titles: shared viewers over the geometric mean of both titles' viewers; 0 on the diagonal.

    ``watched``: profiles × titles, 1 for a view.
    """
    together = watched.T @ watched
    norm = np.sqrt(np.maximum(np.diag(together), 1))
    similar = together / norm[:, None] / norm
    np.fill_diagonal(similar, 0)
    return similar.astype(np.float32)


def ease(watched: Floats, l2: float) -> Floats:
    """Titles × titles: how strongly watching the row's title predicts watching the column's.

    EASE writes each title as a linear combination of all others (Steck 2019). It takes one matrix inverse, which is
    feasible up to some 20,000 titles.

    ``watched``: profiles × titles, 1 for a view.
    """
    gram = (watched.T @ watched).astype(np.float64)
    gram[np.diag_indices_from(gram)] += l2
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)
