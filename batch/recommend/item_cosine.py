"""Because you watched X: titles whose audience is X's audience."""

from dataclasses import dataclass

import numpy as np

from batch.recommend.interactions import Floats, Interactions, Ints
from batch.recommend.model import Scorer


def cosine(watched: Floats) -> Floats:
    """Titles × titles: shared profiles over the geometric mean of both audiences; 0 on the diagonal.

    ``watched``: profiles × titles, 1 for a view.
    """
    together = watched.T @ watched
    norm = np.sqrt(np.maximum(np.diag(together), 1))
    similar = together / norm[:, None] / norm
    np.fill_diagonal(similar, 0)
    return similar.astype(np.float32)


@dataclass(frozen=True)
class ItemCosine:
    """The sum over what a profile watched of its ``neighbours`` most similar titles."""

    neighbours: int = 100

    def fit(self, history: Interactions, at: int) -> Scorer:  # noqa: ARG002 - all views count alike
        similar = cosine(history.watched)
        if self.neighbours < len(similar):
            least = np.partition(similar, -self.neighbours, axis=1)[:, -self.neighbours, None]
            similar[similar < least] = 0

        def scorer(profiles: Ints) -> Floats:
            return history.watched[profiles] @ similar

        return scorer
