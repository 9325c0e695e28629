"""Who watched what, and when: the one table that every model learns from and every evaluation cuts.

Profiles and titles are numbered once for the whole table, so that a part of it (``before``, ``between``) and every
model fitted on one speak of the same rows and columns.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from batch.features.definitions import MIN_VIEW_SHARE

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

DAY_MS = 24 * 60 * 60 * 1000
COLUMNS = {
    "profile": pl.String,
    "title": pl.String,
    "time": pl.Int64,  # milliseconds since the epoch
    "weight": pl.Float32,  # how much of a view it is by then: the share watched so far, 0 to 1
    "country": pl.String,  # null where it isn't known
}


@dataclass(frozen=True)
class Sittings:
    """Arrays with one entry a sitting, in order of time: what was known of a profile and a title when it ended."""

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
    """Views in order of time; every array of numbers has one entry a view, of which a profile and a title have one.

    A view dates from its first sitting and weighs what is known by its last one.

    Dense matrices of profiles × titles are made from it: right up to some 50,000 × 5,000 a machine. Beyond that a
    model must work on the rows themselves, as ``als`` does.
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
        """From a table with ``COLUMNS``, a row a sitting; its order says nothing. polars' SchemaError names a column
        that is wrong."""
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
        return cls._known(tuple(names["profile"]), tuple(names["title"]), tuple(names["country"]), sittings)

    @classmethod
    def _known(
        cls, profiles: tuple[str, ...], titles: tuple[str, ...], countries: tuple[str, ...], sittings: Sittings
    ) -> "Interactions":
        """What these sittings tell. Less than ``MIN_VIEW_SHARE`` of a title is no view."""
        pair = sittings.profile * len(titles) + sittings.title
        _, first, place = np.unique(pair, return_index=True, return_inverse=True)
        last = np.zeros_like(first)
        last[place] = np.arange(len(pair))  # of a pair's sittings the last one stays
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
        """Views with ``since`` ≤ time < ``until``, each as it is known here."""
        first, end = np.searchsorted(self.time, (since, until))
        rows = Sittings(self.profile, self.title, self.time, self.weight, self.country)[first:end]
        return replace(self, **vars(rows), sittings=rows)

    def before(self, until: int) -> "Interactions":
        """What was known at ``until``: nothing of a sitting that ended then or later."""
        return self._known(self.profiles, self.titles, self.countries, self.sittings.before(until))

    def at_share(self, share: float) -> int:
        """The time of the row at which so much of the table has passed."""
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

    @cached_property
    def first_seen(self) -> Ints:
        """The time of each profile's first row; far in the future for a profile without any."""
        first = np.full(len(self.profiles), np.iinfo(np.int64).max)
        np.minimum.at(first, self.profile, self.time)
        return first
