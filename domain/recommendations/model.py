"""Recommendations as the batch side writes them and the services read them."""

from typing import Literal

import msgspec

Reason = Literal["because", "country", "genre", "popular", "picked"]
"""Why a title is listed: its audience is that of a title the profile watched; it is popular in the profile's country;
it is of a genre that the profile often watches; it is popular; or only the model can tell."""
Audience = Literal["profile", "country"]
"""Whom a list is for: one profile, or anybody in a country of whom nothing is known."""
WORLD = ""
"""The country of those whose country isn't known."""


class Recommendation(msgspec.Struct, frozen=True):
    title_id: str
    score: float
    """Of the model that made it; compares titles of one list only."""
    reason: Reason
    about: str | None = None
    """``because``: the id of the title that was watched; ``country``: the country; ``genre``: the genre."""


class RecommendationList(msgspec.Struct, frozen=True):
    """Best first."""

    model: str
    made_at: int
    """Milliseconds since the epoch."""
    items: tuple[Recommendation, ...]
