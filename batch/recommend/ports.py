"""What the job asks of the outside; an adapter in ``infra`` satisfies it by shape."""

from collections.abc import Mapping
from typing import Protocol

from domain.recommendations.model import Audience, RecommendationList


class ListSink(Protocol):
    async def write(self, audience: Audience, lists: Mapping[str, RecommendationList]) -> None:
        """Each list as a whole, by owner's id; one that is older than what is there changes nothing.

        TransientError: some may be written. Writing the same again is harmless.
        """
        ...
