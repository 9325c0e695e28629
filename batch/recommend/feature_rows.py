"""Feature rows at one moment, in the order of a history's profiles and titles: the encoder's input.

They come from the published feature tables (``features_from_tables``) or, without tables, from the history. A test
compares both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from batch.features.definitions import VIEW_DAYS
from batch.recommend.interactions import Floats, Interactions, Ints


@dataclass(frozen=True)
class FeatureRows:
    """Named as in the tables. Profiles, titles and countries are in the history's order, genres in any order."""

    span_days: float
    """Since the first view of any title."""
    views: Mapping[int, Floats]
    """Window in days (``VIEW_DAYS``) -> views of each title."""
    viewers: Floats
    """Of each title."""
    views_28d_by_country: Floats
    """Countries × titles."""
    decades: Floats
    """Release year of each title, in decades from 1990; 0 if unknown."""
    genres: Floats
    """Titles × genres: a title's one vote, divided among its genres."""
    home: Ints
    """Country of each profile; -1 is unknown."""
    genre_shares: Floats
    """Profiles × genres."""
    mean_decade: Floats
    """mean_release_year of each profile, in decades from 1990; 0 if unknown."""
    newest: Floats
    """Profiles × titles: 1 for each of newest_titles."""
    watched: Floats
    """Profiles × titles: 1 for each view."""

    def __post_init__(self) -> None:
        assert self.views.keys() == {*VIEW_DAYS}


class FeatureSource(Protocol):
    def at(self, history: Interactions, moment: int) -> FeatureRows | None:
        """Rows as of ``moment`` (milliseconds since the epoch); None if it has none for that moment."""
        ...
