"""What to recommend now: the last batch run's list without what was watched since, with reasons for people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.history.reading import HistoryReader
from domain.recommendations.model import WORLD, Recommendation, RecommendationList
from domain.recommendations.ports import Recommendations
from domain.titles.catalogue import Catalogue
from schemas.events import ViewingRecord

WATCHED_MS = 60_000
"""A title watched for less may still be recommended: it was picked by mistake, or did not play."""
SINCE_MS = 7 * 86_400_000
"""How long before the list's date history is read: a session may go on past it, or reach us later (offline viewing)."""
NO_LIST = RecommendationList("none", 0, ())
"""Before the first run of the batch job."""


@dataclass(frozen=True, slots=True)
class CurrentRecommendations:
    """A profile's recommendations at this moment."""

    source: RecommendationList
    items: list[Recommendation]
    """Without titles already watched, and without those to resume, which have their own row."""
    complete: bool
    """False when a part of the recent history could not be read: watched titles may be listed."""


async def recommendations(
    lists: Recommendations,
    history: HistoryReader,
    profile_id: str,
    limit: int,
    sees: Callable[[str], bool] = lambda _: True,
) -> CurrentRecommendations:
    """The profile's list; before it has one, the list of the country it watches in. Raises TransientError. ``sees``:
    whether a title may be shown; where none of the profile's may, it is the country's list, too.

    The profile's list left out what was watched before its date, so only what was watched since is read. A country's
    list knows nothing of the profile: then the newest sessions are read.
    """
    made = await lists.recommended("profile", profile_id)
    if made and made.items and not _seen(made, sees):
        made = None
    recent = await history.read_recent(profile_id, since=made.made_at - SINCE_MS if made else None)
    if made is None and recent.records:
        made = await lists.recommended("country", recent.records[0].country)
    if made is None:
        made = await lists.recommended("country", WORLD)
    items = unwatched(_seen(made, sees) if made else (), recent.records)[:limit]
    return CurrentRecommendations(made or NO_LIST, items, recent.complete)


def _seen(made: RecommendationList, sees: Callable[[str], bool]) -> list[Recommendation]:
    """The items that may be shown. A reason names a title, too."""
    return [
        item
        for item in made.items
        if sees(item.title_id) and (item.reason != "because" or not item.about or sees(item.about))
    ]


def unwatched(items: Sequence[Recommendation], records: Sequence[ViewingRecord]) -> list[Recommendation]:
    """Items in their order, without titles of which the profile watched a minute, in one session or several."""
    watched: dict[str, int] = {}
    for record in records:
        watched[record.title_id] = watched.get(record.title_id, 0) + record.watched_ms
    return [item for item in items if watched.get(item.title_id, 0) < WATCHED_MS]


def reason_text(item: Recommendation, catalogue: Catalogue) -> str:
    """The reason, for a person."""
    if item.reason == "because" and item.about:
        return f"Because you watched {catalogue.title(item.about).label}"
    if item.reason == "country" and item.about:
        return f"Popular in {item.about}"
    if item.reason == "genre" and item.about:
        return f"You often watch {item.about}"
    return "Popular now" if item.reason == "popular" else "Picked for you"
