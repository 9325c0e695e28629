"""Feature rows from the published tables, from which the recommend job trains and serves its ranker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

from batch.features.definitions import MIN_VIEW_SHARE, VIEW_DAYS
from batch.recommend.feature_rows import FeatureRows
from batch.recommend.interactions import DAY_MS, Floats, Interactions
from batch.recommend.titles import TitleMetadata, decade, decades, genre_names, genres


@dataclass(frozen=True)
class Tables:
    """Rows of the three feature tables at one or several midnights."""

    profiles: pl.DataFrame
    titles: pl.DataFrame
    pairs: pl.DataFrame

    def at(self, as_of: date) -> "Tables":
        chosen = pl.col("as_of") == as_of
        return Tables(self.profiles.filter(chosen), self.titles.filter(chosen), self.pairs.filter(chosen))

    def and_(self, other: "Tables") -> "Tables":
        """Rows of both."""
        both = ((self.profiles, other.profiles), (self.titles, other.titles), (self.pairs, other.pairs))
        return Tables(*map(pl.concat, both))


@dataclass(frozen=True)
class FeaturesFromTables:
    """A ``FeatureSource`` with rows for the midnights in its tables."""

    tables: Tables

    def at(self, history: Interactions, moment: int) -> FeatureRows | None:
        rows = self.tables.at(midnight(moment))
        if moment % DAY_MS or rows.profiles.is_empty() or rows.titles.is_empty() or rows.pairs.is_empty():
            return None
        return feature_rows(rows, history, moment)


def midnight(moment: int) -> date:
    return datetime.fromtimestamp(moment / 1000, UTC).date()


def history(tables: Tables) -> Interactions:
    """The views in tables of one midnight."""
    return Interactions.of(
        views(tables.pairs).select(
            profile="profile_id",
            title="title_id",
            time=pl.col("first_watched_at").dt.epoch("ms"),
            weight="watched_share",
            country="country",
        )
    )


def title_metadata(tables: Tables) -> dict[str, TitleMetadata]:
    """By title id, from tables of one midnight."""
    rows = tables.titles.select("title_id", "release_year", "genres").iter_rows()
    return {title: TitleMetadata(year, tuple(genres)) for title, year, genres in rows}


def views(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.filter(pl.col("watched_share") >= MIN_VIEW_SHARE)


def feature_rows(tables: Tables, history: Interactions, moment: int) -> FeatureRows:
    """Tables of one midnight, in the order of a history that is as long or longer."""
    known, seen = title_metadata(tables), views(tables.pairs)
    titles = _Axis(tables.titles, "title_id", _places(history.titles))
    profiles = _Axis(tables.profiles, "profile_id", _places(history.profiles))
    countries = _places(history.countries)
    names = _places(genre_names(history.titles, known))
    first = seen.select(pl.col("first_watched_at").dt.epoch("ms").min()).item() or moment
    home = [countries.get(country, -1) for country in profiles.values("country", None)]
    return FeatureRows(
        span_days=(moment - first) / DAY_MS,
        views={days: titles.numbers(f"views_{days}d") for days in VIEW_DAYS},
        viewers=titles.numbers("viewers"),
        views_28d_by_country=titles.matrix("views_28d_by_country", countries).T,
        decades=decades(history.titles, known),
        genres=genres(history.titles, known),
        home=np.array(home, np.int64),
        genre_shares=profiles.matrix("genre_shares", names),
        mean_decade=np.array([decade(year) for year in profiles.values("mean_release_year", None)], np.float32),
        newest=profiles.matrix("newest_titles", titles.places),
        watched=_watched(seen, profiles.places, titles.places),
    )


Places = Mapping[str, int]


@dataclass(frozen=True)
class _Axis:
    """A table's rows in the order of ``places``, by key. A key without a row gets the ``default``."""

    table: pl.DataFrame
    key: str
    places: Places

    def values(self, column: str, default: Any) -> list[Any]:
        found = dict(self.table.select(self.key, column).iter_rows())
        return [default if (value := found.get(each)) is None else value for each in self.places]

    def numbers(self, column: str) -> Floats:
        return np.array(self.values(column, 0), np.float32)

    def matrix(self, column: str, columns: Places) -> Floats:
        """The values of a map column, or 1 for each element of a list column."""
        matrix = np.zeros((len(self.places), len(columns)), np.float32)
        for row, entries in enumerate(self.values(column, ())):
            for name in entries:
                if name in columns:
                    matrix[row, columns[name]] = entries[name] if isinstance(entries, dict) else 1
        return matrix


def _places(names: Sequence[str]) -> Places:
    return {name: place for place, name in enumerate(names)}


def _watched(seen: pl.DataFrame, profiles: Places, titles: Places) -> Floats:
    watched = np.zeros((len(profiles), len(titles)), np.float32)
    for profile, title in seen.select("profile_id", "title_id").iter_rows():
        if profile in profiles and title in titles:
            watched[profiles[profile], titles[title]] = 1
    return watched
