"""ReportInputs -> the numbers of one day's page. Pure. ``headlines`` makes the sentences, ``page`` the HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from batch.reports.aggregates import LEFT
from batch.reports.inputs import WEEK, ReportInputs, context
from batch.reports.metrics import HOUR_MS, metrics_of, share
from batch.reports.quality import Group, by_dimension, overall, title_label, titles_by_week

Metrics = Mapping[str, float | None]
SLOT_MINUTES = 5
SLOTS = 24 * 60 // SLOT_MINUTES
TOP_TITLES = 10
FEW_STARTS = 5
"""Titles with fewer starts in a week are not listed as abandoned."""


@dataclass(frozen=True, slots=True)
class Peak:
    viewers: int
    minute: int
    """0 to 1439: the first minute with that many viewers."""


@dataclass(frozen=True, slots=True)
class Hour:
    hours: float
    starts: int
    failures: int


@dataclass(frozen=True, slots=True)
class DayStats:
    """One day: the shown one, or the same weekday a week before."""

    day: date
    metrics: Metrics
    members: int
    """Profiles that pressed play."""
    peak: Peak | None
    viewers: Sequence[int]
    """The most concurrent viewers in each five minutes of the day."""
    hours: Sequence[Hour]
    funnel: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WeekComparison:
    """The seven days up to the shown one, and the seven days before."""

    this: Metrics
    before: Metrics
    days: int
    """Days of this week with any views."""
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
    """Unfinished views that ended in each quarter of the title."""
    finishes: int

    @property
    def early(self) -> float:
        """The share of ended views that ended in the first quarter."""
        return share(self.left[0], sum(self.left) + self.finishes) or 0.0


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    rows: Sequence[int]
    """By day of event time."""
    bytes: int
    """Size of the shown day's files."""
    newest: int | None
    """When its newest event was received, in milliseconds; None if the table is empty."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """An account that was watched on more streams at once than its plan allows."""

    account_id: str
    allowed: int
    most: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Day:
    now: DayStats
    before: DayStats | None
    """None without any views a week before."""
    data_until: int | None
    """When the newest playback event in the lake was received, in milliseconds."""
    over: bool
    """Whether the lake holds events from after this day."""
    days: Sequence[date]
    """Two weeks, the shown day last."""
    overall: Group
    weeks: WeekComparison
    quality: Mapping[str, Sequence[Group]]
    """Dimension -> its groups over the two weeks."""
    titles: Sequence[TitleRow]
    worst_titles: Sequence[Group]
    """The most watched titles of the week, with the week before."""
    abandoned: Sequence[Abandoned]
    lake: Sequence[Family]
    crowded: Sequence[Crowded] | None
    """Most minutes first; None if no plan is known."""
    unknown_titles: int
    """Titles played on the day that are not in the catalogue; they are shown by id."""
    unknown_views: int

    @property
    def empty(self) -> bool:
        return not self.now.metrics["views"]

    @property
    def without_events(self) -> bool:
        """Of any family: there is nothing to report."""
        return not any(family.rows[-1] for family in self.lake)


def build_day(inputs: ReportInputs, day: date) -> Day:
    """The page of one of the days that the inputs were made for."""
    days, before = context(day), _day_stats(inputs, day - WEEK)
    data_until = inputs.newest.get("playback")
    midnight_after = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    played = inputs.groups([day], "title")
    unknown = [row for row in played if row["title_id"] not in inputs.titles]
    return Day(
        now=_day_stats(inputs, day),
        before=before if before.metrics["views"] else None,
        data_until=data_until,
        over=data_until is not None and data_until >= midnight_after.timestamp() * 1000,
        days=days,
        overall=overall(inputs, days),
        weeks=_weeks(inputs, days),
        quality={name: by_dimension(inputs, days, name) for name in ("device", "version", "country")},
        titles=_top_titles(inputs, played),
        worst_titles=titles_by_week(inputs, days),
        abandoned=_abandoned(inputs, days[-7:]),
        lake=_families(inputs, days),
        crowded=_crowded(inputs, day),
        unknown_titles=len(unknown),
        unknown_views=sum(row["views"] for row in unknown),
    )


def _day_stats(inputs: ReportInputs, day: date) -> DayStats:
    by_minute = dict(inputs.viewers.filter(pl.col("day") == day).select("minute", "viewers").iter_rows())
    most = max(by_minute.values(), default=0)
    funnel = inputs.funnel_of(day)
    hours = {row["hour"]: row for row in inputs.groups([day], "hour")}
    return DayStats(
        day=day,
        metrics=metrics_of(inputs.total([day])),
        members=funnel["members"],
        peak=Peak(most, min(minute for minute, viewers in by_minute.items() if viewers == most)) if most else None,
        viewers=[max(by_minute.get(slot * SLOT_MINUTES + n, 0) for n in range(SLOT_MINUTES)) for slot in range(SLOTS)],
        hours=[_hour(hours.get(hour)) for hour in range(24)],
        funnel=funnel,
    )


def _hour(row: Mapping[str, Any] | None) -> Hour:
    return Hour(row["watched_ms"] / HOUR_MS, row["starts"], row["failures"]) if row else Hour(0.0, 0, 0)


def _weeks(inputs: ReportInputs, days: Sequence[date]) -> WeekComparison:
    before, this, watched = days[:-7], days[-7:], [day for (day,) in inputs.by_day(days, "all")]
    return WeekComparison(
        this=metrics_of(inputs.total(this)),
        before=metrics_of(inputs.total(before)),
        days=sum(day in this for day in watched),
        days_before=sum(day in before for day in watched),
    )


def _top_titles(inputs: ReportInputs, played: Sequence[Mapping[str, Any]]) -> list[TitleRow]:
    most = sorted(played, key=lambda row: (-row["watched_ms"], row["title_id"]))[:TOP_TITLES]
    return [TitleRow(title_label(inputs, row["title_id"]), row["watched_ms"] / HOUR_MS, row["starts"]) for row in most]


def _abandoned(inputs: ReportInputs, week: Sequence[date]) -> list[Abandoned]:
    rows = [
        Abandoned(title_label(inputs, row["title_id"]), row["starts"], [row[name] for name in LEFT], row["finishes"])
        for row in inputs.groups(week, "title")
        if row["starts"] >= FEW_STARTS
    ]
    return sorted((row for row in rows if row.left[0]), key=lambda row: (-row.early, -row.starts, row.label))[
        :TOP_TITLES
    ]


def _crowded(inputs: ReportInputs, day: date) -> list[Crowded] | None:
    if inputs.crowded is None:
        return None
    rows = inputs.crowded.filter(pl.col("day") == day).sort("minutes", "account_id", descending=[True, False])
    return [Crowded(*row) for row in rows.select("account_id", "allowed", "most", "minutes").iter_rows()]


def _families(inputs: ReportInputs, days: Sequence[date]) -> list[Family]:
    """Every family that has a table, the one with the most rows on the shown day (the last) first."""
    found = []
    for name, newest in inputs.newest.items():
        volumes = inputs.volumes.filter(pl.col("family") == name)
        by_day = {day: (rows, size) for day, rows, size in volumes.select("day", "rows", "bytes").iter_rows()}
        rows = [by_day.get(day, (0, 0))[0] for day in days]
        found.append(Family(name, rows, by_day.get(days[-1], (0, 0))[1], newest))
    return sorted(found, key=lambda family: (-family.rows[-1], family.name))
