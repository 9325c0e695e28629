"""Who watched what, and when: the table that models learn from and evaluations split.

Profiles and titles are numbered once for the whole table. Its parts (``before``, ``between``), and the models fitted on
them, keep these numbers.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from batch.features.definitions import MIN_VIEW_SHARE

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

DAY_MS = 24 * 60 * 60 * 1000
COLUMNS = {
    "profile": pl.String,
    "title": pl.String,
    "time": pl.Int64,  # milliseconds since the epoch
    "weight": pl.Float32,  # the share of the title watched so far, 0 to 1
    "country": pl.String,  # null if unknown
}


@dataclass(frozen=True)
class Sittings:
    """Arrays with one entry per sitting, in order of time: what was known of the pair when the sitting ended."""

    profile: Ints
    title: Ints
    time: Ints
    weight: Floats
    country: Ints

    def before(self, until: int) -> "Sittings":
        return self[: int(np.searchsorted(self.time, until))]

    def __getitem__(self, chosen: slice) -> "Sittings":
        return Sittings(*(values[chosen] for values in vars(self).values()))


@dataclass(frozen=True)
class Interactions:
    """Views in order of time. The arrays of numbers have one entry per view; a profile and a title have at most one.

    A view has the time of its first sitting and the weight of its last one.

    Models make dense matrices of profiles × titles from it, which fits one machine up to some 50,000 × 5,000. Beyond
    that a model must read the rows themselves, as ALS does.
    """

    profiles: tuple[str, ...]
    titles: tuple[str, ...]
    countries: tuple[str, ...]
    profile: Ints
    title: Ints
    time: Ints
    weight: Floats
    country: Ints
    """Index into ``countries``; -1 is unknown."""
    sittings: Sittings

    @classmethod
    def of(cls, table: pl.DataFrame) -> "Interactions":
        """From a table with ``COLUMNS`` and one row per sitting, in any order. Raises polars' SchemaError."""
        rows = table.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
        rows = rows.sort("time", "profile", "title", "weight")
        names = {name: sorted(rows[name].drop_nulls().unique()) for name in ("profile", "title", "country")}

        def codes(name: str) -> Ints:
            places = {text: place for place, text in enumerate(names[name])}
            return np.array([places.get(text, -1) for text in rows[name]], np.int64)

        sittings = Sittings(
            profile=codes("profile"),
            title=codes("title"),
            time=rows["time"].to_numpy().astype(np.int64),
            weight=rows["weight"].to_numpy().astype(np.float32),
            country=codes("country"),
        )
        return cls._of_sittings(tuple(names["profile"]), tuple(names["title"]), tuple(names["country"]), sittings)

    @classmethod
    def _of_sittings(
        cls, profiles: tuple[str, ...], titles: tuple[str, ...], countries: tuple[str, ...], sittings: Sittings
    ) -> "Interactions":
        """The views of these sittings. Less than ``MIN_VIEW_SHARE`` of a title is no view."""
        pair = sittings.profile * len(titles) + sittings.title
        _, first, place = np.unique(pair, return_index=True, return_inverse=True)
        last = np.zeros_like(first)
        last[place] = np.arange(len(pair))  # the last of a pair's sittings wins
        seen = np.argsort(first)
        seen = seen[sittings.weight[last[seen]] >= MIN_VIEW_SHARE]
        first, last = first[seen], last[seen]
        return cls(
            profiles=profiles,
            titles=titles,
            countries=countries,
            profile=sittings.profile[first],
            title=sittings.title[first],
            time=sittings.time[first],
            weight=sittings.weight[last],
            country=sittings.country[last],
            sittings=sittings,
        )

    def __len__(self) -> int:
        return len(self.time)

    def between(self, since: int, until: int) -> "Interactions":
        """Views with ``since`` ≤ time < ``until``, with the weights that they have here."""
        first, end = np.searchsorted(self.time, (since, until))
        rows = Sittings(self.profile, self.title, self.time, self.weight, self.country)[first:end]
        return replace(self, **vars(rows), sittings=rows)

    def before(self, until: int) -> "Interactions":
        """What was known at ``until``, without sittings that ended then or later."""
        return self._of_sittings(self.profiles, self.titles, self.countries, self.sittings.before(until))

    def at_share(self, share: float) -> int:
        """The time before which this share of the rows lies."""
        return int(np.quantile(self.time, share, method="lower"))

    @cached_property
    def watched(self) -> Floats:
        """Profiles × titles, 1 where there is a row."""
        matrix = np.zeros((len(self.profiles), len(self.titles)), np.float32)
        matrix[self.profile, self.title] = 1
        return matrix

    @cached_property
    def views(self) -> Floats:
        """Profiles that watched each title."""
        views: Floats = self.watched.sum(0)
        return views

    @cached_property
    def home(self) -> Ints:
        """The country of each profile's newest row that has one; -1 for none."""
        home = np.full(len(self.profiles), -1, np.int64)
        known = self.country >= 0
        home[self.profile[known]] = self.country[known]
        return home
