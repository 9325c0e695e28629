"""What a recommender is. To add one: a file with a class of this shape, and a line in ``competitors``."""

from typing import Protocol

from batch.recommend.interactions import Floats, Interactions, Ints


class Scorer(Protocol):
    """A fitted model."""

    def __call__(self, profiles: Ints) -> Floats:
        """A finite score of every title for each of these profiles (their numbers), higher is better.

        Titles already watched need no thought: whoever ranks leaves them out.
        """
        ...


class Model(Protocol):
    """A recommender with its parameters chosen: a frozen dataclass, so that its ``repr`` is what is printed."""

    def fit(self, history: Interactions, at: int) -> Scorer:
        """Learn from ``history``, all of it before ``at`` (milliseconds since the epoch)."""
        ...
