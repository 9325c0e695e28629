"""What recommendations need from outside."""

from typing import Protocol

from domain.recommendations.model import Audience, RecommendationList


class Recommendations(Protocol):
    """The lists that the batch job wrote."""

    async def recommended(self, audience: Audience, owner: str) -> RecommendationList | None:
        """Of a profile, or for a country; None if there is none. Raises TransientError."""
        ...
