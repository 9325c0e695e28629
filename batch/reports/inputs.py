"""The small frames that Spark computes from the tables. ``build_day`` makes the page of any of the days from them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from batch.reports.aggregates import GROUPINGS, KEYS, STEPS

CONTEXT_DAYS = 13
"""A page shows this many days before its own: two weeks in all."""
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ReportInputs:
    aggregates: pl.DataFrame
    """``aggregates_by_day`` of the shown days and their context."""
    viewers: pl.DataFrame
    """``viewers_by_minute`` of the shown days and those a week before."""
    funnel: pl.DataFrame
    """``funnel_by_day`` of the same days."""
    volumes: pl.DataFrame
    """``volumes`` of the shown days and their context."""
    newest: Mapping[str, int | None]
    """Family -> when its newest event was received, in milliseconds; None if its table is empty."""
    titles: Mapping[str, tuple[str, int | None]]
    """Title id -> name and year, from the catalogue."""
    crowded: pl.DataFrame | None = None
    """``crowded_accounts`` of the shown days; None if no plan is known."""

    def total(self, days: Collection[date]) -> dict[str, int]:
        """The aggregates of all views on these days; zeros without any."""
        return self._of(days, "all").select(pl.exclude("day", "grouping", *KEYS).sum()).row(0, named=True)

    def groups(self, days: Collection[date], grouping: str) -> list[dict[str, Any]]:
        """One row for each group with views on these days: its keys and aggregates, most views first."""
        keys = GROUPINGS[grouping]
        left_out = ("day", "grouping", *(key for key in KEYS if key not in keys))
        summed = self._of(days, grouping).select(pl.exclude(*left_out)).group_by(*keys).sum()
        return summed.sort("views", *keys, descending=[True, *[False] * len(keys)]).to_dicts()

    def by_day(self, days: Collection[date], grouping: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        """(day, *the group's keys) -> its aggregates on that day, if there were any views."""
        keys = GROUPINGS[grouping]
        return {tuple(row[key] for key in ("day", *keys)): row for row in self._of(days, grouping).to_dicts()}

    def funnel_of(self, day: date) -> dict[str, int]:
        """The funnel of a day; zeros without any browsing or views."""
        row = self.funnel.filter(pl.col("day") == day).to_dicts()
        return row[0] if row else dict.fromkeys(FUNNEL_COLUMNS, 0)

    def _of(self, days: Collection[date], grouping: str) -> pl.DataFrame:
        return self.aggregates.filter(pl.col("grouping") == grouping, pl.col("day").is_in(list(days)))


FUNNEL_COLUMNS = (*STEPS, "unbrowsed", *(f"{step}_members" for step in STEPS), "members")


def context(day: date, days: int = CONTEXT_DAYS) -> list[date]:
    """The days before and the day itself, in order."""
    return [day - timedelta(days=n) for n in range(days, -1, -1)]


def with_context(days: Iterable[date]) -> set[date]:
    return {each for day in days for each in context(day)}


def with_week_before(days: Iterable[date]) -> set[date]:
    return {each for day in days for each in (day, day - WEEK)}
