"""Material -> what one day's page says, as numbers. Pure; sentences are made in ``findings``, HTML in ``page``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from batch.reports.aggregates import LEFT
from batch.reports.inputs import WEEK, Material, context
from batch.reports.lake import Family, families
from batch.reports.metrics import HOUR_MS, figures, share
from batch.reports.quality import Group, by_dimension, named, over_all, titles_by_week

Figures = Mapping[str, float | None]
SLOT_MINUTES = 5
SLOTS = 24 * 60 // SLOT_MINUTES
TOP_TITLES = 10
FEW_STARTS = 5
"""Of a title that fewer have started in a week, nothing is said about where they leave it."""


@dataclass(frozen=True, slots=True)
class Peak:
    viewers: int
    minute: int
    """0 to 1439, the first in which so many watched."""


@dataclass(frozen=True, slots=True)
class Hour:
    hours: float
    starts: int
    failures: int


@dataclass(frozen=True, slots=True)
class Side:
    """One day by itself: the shown one, or the same weekday a week before."""

    day: date
    figures: Figures
    members: int
    """Who pressed play."""
    peak: Peak | None
    viewers: Sequence[int]
    """The most at once in each five minutes of the day."""
    hours: Sequence[Hour]
    funnel: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Weeks:
    """The seven days up to the shown one beside the seven before those."""

    this: Figures
    before: Figures
    days: int
    """Of this week, those on which anybody pressed play."""
    days_before: int


@dataclass(frozen=True, slots=True)
class TitleRow:
    label: str
    hours: float
    starts: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Where the views of a title ended, in a week."""

    label: str
    starts: int
    left: Sequence[int]
    """In each quarter of the title, unfinished."""
    finishes: int

    @property
    def early(self) -> float:
        """The share of those that are over which ended in the first quarter."""
        return share(self.left[0], sum(self.left) + self.finishes) or 0.0


@dataclass(frozen=True, slots=True)
class Day:
    now: Side
    before: Side | None
    """None if nobody pressed play a week before."""
    data_until: int | None
    """Receipt of the newest playback event in the lake, milliseconds."""
    over: bool
    """Whether the lake holds events from after this day."""
    days: Sequence[date]
    """Two weeks, the shown day last."""
    overall: Group
    weeks: Weeks
    quality: Mapping[str, Sequence[Group]]
    """Dimension -> its groups over the two weeks."""
    titles: Sequence[TitleRow]
    worst_titles: Sequence[Group]
    """The most watched ones of the week, with the week before."""
    abandoned: Sequence[Abandoned]
    lake: Sequence[Family]
    unknown_titles: int
    """Played on the day, but not in the catalogue: shown by their ids."""
    unknown_views: int

    @property
    def empty(self) -> bool:
        return not self.now.figures["views"]


def day_of(material: Material, day: date) -> Day:
    """The page of one of the days that the material was made for."""
    days, before = context(day), _side(material, day - WEEK)
    data_until = material.newest.get("playback")
    midnight_after = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    played = material.groups([day], "title")
    unknown = [row for row in played if row["title_id"] not in material.titles]
    return Day(
        now=_side(material, day),
        before=before if before.figures["views"] else None,
        data_until=data_until,
        over=data_until is not None and data_until >= midnight_after.timestamp() * 1000,
        days=days,
        overall=over_all(material, days),
        weeks=_weeks(material, days),
        quality={name: by_dimension(material, days, name) for name in ("device", "version", "country")},
        titles=_top_titles(material, played),
        worst_titles=titles_by_week(material, days),
        abandoned=_abandoned(material, days[-7:]),
        lake=families(material, days),
        unknown_titles=len(unknown),
        unknown_views=sum(row["views"] for row in unknown),
    )


def _side(material: Material, day: date) -> Side:
    by_minute = dict(material.viewers.filter(pl.col("day") == day).select("minute", "viewers").iter_rows())
    most = max(by_minute.values(), default=0)
    funnel = material.funnel_of(day)
    hours = {row["hour"]: row for row in material.groups([day], "hour")}
    return Side(
        day=day,
        figures=figures(material.total([day])),
        members=funnel["members"],
        peak=Peak(most, min(minute for minute, viewers in by_minute.items() if viewers == most)) if most else None,
        viewers=[max(by_minute.get(slot * SLOT_MINUTES + n, 0) for n in range(SLOT_MINUTES)) for slot in range(SLOTS)],
        hours=[_hour(hours.get(hour)) for hour in range(24)],
        funnel=funnel,
    )


def _hour(sums: Mapping[str, Any] | None) -> Hour:
    return Hour(sums["watched_ms"] / HOUR_MS, sums["starts"], sums["failures"]) if sums else Hour(0.0, 0, 0)


def _weeks(material: Material, days: Sequence[date]) -> Weeks:
    before, this, watched = days[:-7], days[-7:], [day for (day,) in material.by_day(days, "all")]
    return Weeks(
        this=figures(material.total(this)),
        before=figures(material.total(before)),
        days=sum(day in this for day in watched),
        days_before=sum(day in before for day in watched),
    )


def _top_titles(material: Material, played: Sequence[Mapping[str, Any]]) -> list[TitleRow]:
    most = sorted(played, key=lambda row: (-row["watched_ms"], row["title_id"]))[:TOP_TITLES]
    return [TitleRow(named(material, row["title_id"]), row["watched_ms"] / HOUR_MS, row["starts"]) for row in most]


def _abandoned(material: Material, week: Sequence[date]) -> list[Abandoned]:
    rows = [
        Abandoned(named(material, row["title_id"]), row["starts"], [row[name] for name in LEFT], row["finishes"])
        for row in material.groups(week, "title")
        if row["starts"] >= FEW_STARTS
    ]
    return sorted((row for row in rows if row.left[0]), key=lambda row: (-row.early, -row.starts, row.label))[
        :TOP_TITLES
    ]
