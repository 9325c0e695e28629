"""What to recommend now: the list of the last batch run, less what was watched since, with reasons for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.history.reading import FullHistory
from domain.recommendations.model import WORLD, Recommendation, RecommendationList
from domain.recommendations.ports import Recommendations
from domain.titles.catalogue import Catalogue
from schemas.events import ViewingRecord

WATCHED_MS = 60_000
"""Who saw less of a title than this still may get it recommended: it was a slip, or it did not play."""
NOTHING_YET = RecommendationList("none", 0, ())
"""Before the first run of the batch job."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A profile's recommendations at this moment."""

    made: RecommendationList
    items: list[Recommendation]
    """Without titles already watched, and without those to go on with, which have a row of their own."""


async def recommendations(stored: Recommendations, profile_id: str, whole: FullHistory, limit: int) -> Shown:
    """For a profile that no run has seen yet: what is popular in the country it watches in. Raises TransientError."""
    made = await stored.recommended("profile", profile_id)
    if made is None and whole.records:
        made = await stored.recommended("country", whole.records[0].country)
    if made is None:
        made = await stored.recommended("country", WORLD)
    return Shown(made or NOTHING_YET, fresh(made.items if made else (), whole.records)[:limit])


def fresh(items: Sequence[Recommendation], records: Sequence[ViewingRecord]) -> list[Recommendation]:
    """Items in their order, without any title of which the profile has watched a minute, in one session or several."""
    watched: dict[str, int] = {}
    for record in records:
        watched[record.title_id] = watched.get(record.title_id, 0) + record.watched_ms
    return [item for item in items if watched.get(item.title_id, 0) < WATCHED_MS]


def wording(item: Recommendation, catalogue: Catalogue) -> str:
    """The reason, for a person."""
    if item.reason == "because" and item.about:
        return f"Because you watched {catalogue.title(item.about).label}"
    if item.reason == "country" and item.about:
        return f"Popular in {item.about}"
    if item.reason == "genre" and item.about:
        return f"You often watch {item.about}"
    return "Popular now" if item.reason == "popular" else "Picked for you"
