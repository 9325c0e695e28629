"""Who watched what, and when: the one table that every model learns from and every evaluation cuts.

Profiles and titles are numbered once for the whole table, so that a slice of it (``before``, ``between``) and every
model fitted on one speak of the same rows and columns.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

DAY_MS = 24 * 60 * 60 * 1000
COLUMNS = {
    "profile": pl.String,
    "title": pl.String,
    "time": pl.Int64,  # milliseconds since the epoch
    "weight": pl.Float32,  # how much of a view it is: the share watched, 0 to 1
    "country": pl.String,  # null where it isn't known
}


@dataclass(frozen=True)
class Interactions:
    """Rows in order of time; every array but the first three has one entry a row.

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

    @classmethod
    def of(cls, table: pl.DataFrame) -> "Interactions":
        """From a table with ``COLUMNS``; its order says nothing. polars' SchemaError names a column that is wrong."""
        rows = table.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items()).sort("time", "profile", "title")
        names = {name: sorted(rows[name].drop_nulls().unique()) for name in ("profile", "title", "country")}

        def codes(name: str) -> Ints:
            places = {text: place for place, text in enumerate(names[name])}
            return np.array([places.get(text, -1) for text in rows[name]], np.int64)

        return cls(
            profiles=tuple(names["profile"]),
            titles=tuple(names["title"]),
            countries=tuple(names["country"]),
            profile=codes("profile"),
            title=codes("title"),
            time=rows["time"].to_numpy().astype(np.int64),
            weight=rows["weight"].to_numpy().astype(np.float32),
            country=codes("country"),
        )

    def __len__(self) -> int:
        return len(self.time)

    def between(self, since: int, until: int) -> "Interactions":
        """Rows with ``since`` ≤ time < ``until``."""
        return self._rows(*np.searchsorted(self.time, (since, until)))

    def before(self, until: int) -> "Interactions":
        """Rows with time < ``until``."""
        return self._rows(0, int(np.searchsorted(self.time, until)))

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

    def _rows(self, first: int, end: int) -> "Interactions":
        rows = ("profile", "title", "time", "weight", "country")
        return replace(self, **{name: getattr(self, name)[first:end] for name in rows})
