"""Feature rows at one moment, laid out along a history's profiles and titles: what the encoder reads.

They come from the published feature tables (``published``) or, where there are no tables, from the history itself
(``computed``). A test holds both to the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from batch.features.definitions import VIEW_DAYS
from batch.recommend.interactions import Floats, Interactions, Ints


@dataclass(frozen=True)
class FeatureRows:
    """Names as in the tables; profiles, titles and countries in the history's order, genres in any."""

    span_days: float
    """Since the first view of all."""
    views: Mapping[int, Floats]
    """By days (``VIEW_DAYS``): of each title."""
    viewers: Floats
    """Of each title."""
    views_28d_by_country: Floats
    """Countries × titles."""
    decades: Floats
    """Release year of each title, in decades from 1990; 0 where unknown."""
    genres: Floats
    """Titles × genres: a title's one vote, shared among its genres."""
    home: Ints
    """Country of each profile; -1 is unknown."""
    genre_shares: Floats
    """Profiles × genres."""
    mean_decade: Floats
    """Of each profile: mean_release_year, in decades from 1990; 0 where unknown."""
    newest: Floats
    """Profiles × titles: 1 for each of newest_titles."""
    watched: Floats
    """Profiles × titles: 1 for each view."""

    def __post_init__(self) -> None:
        assert self.views.keys() == {*VIEW_DAYS}


class FeatureSource(Protocol):
    def at(self, history: Interactions, moment: int) -> FeatureRows | None:
        """Of what was before ``moment`` (milliseconds since the epoch); None if that moment has no rows."""
        ...
