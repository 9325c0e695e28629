"""Recommendations as the batch job writes them and the services read them."""

from typing import Literal

import msgspec

Reason = Literal["because", "country", "genre", "popular", "picked"]
"""Why a title is listed: its audience or its genres are those of a title the profile watched; it is popular in the
profile's country; it is of a genre that the profile often watches; it is popular; or only the model can tell."""
Audience = Literal["profile", "country"]
"""Whom a list is for: one profile, or everybody in a country who has no list."""
WORLD = ""
"""In place of a country: for everybody else."""


class Recommendation(msgspec.Struct, frozen=True):
    title_id: str
    score: float
    """Given by the model; compares titles of one list only."""
    reason: Reason
    about: str | None = None
    """``because``: the id of the title that was watched; ``country``: the country; ``genre``: the genre."""


class RecommendationList(msgspec.Struct, frozen=True):
    """Best first."""

    model: str
    made_at: int
    """Milliseconds since the epoch."""
    items: tuple[Recommendation, ...]
