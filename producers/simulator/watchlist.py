"""What a member watches next and how far, from their own ratings.

Chances of watching a film to its end by stars: 1 ★ 8 %, 2 ★ 22 %, 3 ★ 52 %, 4 ★ 82 %, 5 ★ 94 %. A member
who does not like it stops early (beta distribution, mean 23 % of the rest). One who does was interrupted (mean 55 %)
and resumes it with 65 % on each later visit. When everything has been seen, favourites are watched again; one visit
in 25 is such a rewatch anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from producers.simulator.audience import Taste
from producers.simulator.viewer import FOREVER

Row = Literal["continue_watching", "recommended", "search", "watch_again"]

_SEEN_TO_END = (0.08, 0.22, 0.52, 0.82, 0.94)
_LIKED = 3.5
_BARELY_LEFT = 0.93
"""Past this share of a film only the credits are left."""


@dataclass(frozen=True, slots=True)
class Choice:
    taste: Taste
    row: Row
    from_ms: int
    to_ms: int


class Watchlist:
    """One member's films: unseen, interrupted, favourites."""

    def __init__(self, tastes: Sequence[Taste], rng: Random) -> None:
        self._rng = rng
        self._unseen = list(tastes)
        rng.shuffle(self._unseen)
        self._interrupted: list[tuple[Taste, int]] = []
        self._tastes = tastes
        self._liking = [taste.stars**3 for taste in tastes]

    def choose(self) -> Choice:
        rng = self._rng
        if self._interrupted and rng.random() < 0.65:
            taste, bookmark = self._interrupted.pop()
            return self._choice(taste, "continue_watching", bookmark)
        if self._unseen and rng.random() < 0.96:
            row: Row = "search" if rng.random() < 0.2 else "recommended"
            return self._choice(self._unseen.pop(), row, 0)
        return self._choice(rng.choices(self._tastes, self._liking)[0], "watch_again", 0)

    def put_back(self, choice: Choice, playhead_ms: int) -> None:
        """Record where they stopped. A liked, unfinished title is resumed later."""
        taste = choice.taste
        if taste.stars >= _LIKED and playhead_ms < taste.title.runtime_ms * _BARELY_LEFT:
            self._interrupted.append((taste, playhead_ms))

    def sample(self, count: int) -> list[Taste]:
        """Other titles that the page shows next to the chosen one."""
        return self._rng.choices(self._tastes, k=count)

    def _choice(self, taste: Taste, row: Row, bookmark: int) -> Choice:
        rng, runtime = self._rng, taste.title.runtime_ms
        if rng.random() < _SEEN_TO_END[min(4, max(0, round(taste.stars) - 1))]:
            stays = 0.4  # through the credits
            to_ms = FOREVER if rng.random() < stays else round(runtime * rng.uniform(0.95, 0.995))
        else:
            share = rng.betavariate(2.2, 1.8) if taste.stars >= _LIKED else rng.betavariate(1.2, 4)
            to_ms = bookmark + round((runtime - bookmark) * share)
        return Choice(taste, row, bookmark, to_ms)
