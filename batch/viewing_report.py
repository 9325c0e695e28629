"""Sessions -> the small aggregates that the viewing report draws. The heavy work stays in Spark."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.viewing import filter_days, measures, summarise, with_title_names

TOP_TITLES = 15
HOUR_MS = 3_600_000

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Period:
    """UTC days, both included."""

    first: date
    last: date

    @property
    def days(self) -> Iterable[date]:
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows. Times are milliseconds since the epoch, UTC; ratios 0 to 1."""

    first_day: str
    last_day: str
    data_until: int | None
    """Receipt of the newest event read, also of those outside the period; None if there was none."""
    events: int
    """Distinct playback events of the sessions shown."""
    outside: int
    """Sessions that started on other days."""
    totals: dict[str, Any]
    """The measures over all, and ``profiles`` that watched."""
    hours: Rows
    """Every hour from the first to the last that has a session, also empty ones: hour, starts, minutes, failures."""
    week: Rows
    """The average week: weekday (0 = Monday), hour, minutes and starts a day."""
    titles: Rows
    devices: Rows
    app_versions: Rows
    countries: Rows
    meanings: dict[str, str]
    """What each measure means, for the reader."""


def viewing_report(
    sessions_df: DataFrame, titles_df: DataFrame, period: Period, stage: Callable[[str, int], None]
) -> Report:
    """Aggregates ``sessions_df`` (with hour and outcome; cached, since it is read several times).

    ``stage`` is told the name and the number of rows of each aggregate.
    """
    read = _one(sessions_df.agg(F.count("*").alias("sessions"), F.max(F.unix_millis("received_at")).alias("until")))
    shown_df = sessions_df.transform(filter_days, period.first, period.last)
    totals = _one(summarise(shown_df))
    shown = _one(shown_df.agg(F.count_distinct("profile_id").alias("profiles"), F.sum("events").alias("events")))

    def by(*dimensions: str) -> DataFrame:
        return summarise(shown_df, *dimensions).orderBy(F.desc("minutes"), *dimensions)

    def rows(name: str, figures_df: DataFrame) -> Rows:
        found = [row.asDict() for row in figures_df.collect()]
        stage(f"figures by {name}", len(found))
        return found

    top_titles_df = by("title_id").limit(TOP_TITLES).transform(with_title_names, titles_df)
    # as numbers: Spark hands timestamps to Python in the machine's own time zone
    busy_hours = rows("hour", by("hour").withColumn("hour", F.unix_millis("hour")))
    return Report(
        first_day=period.first.isoformat(),
        last_day=period.last.isoformat(),
        data_until=read["until"],
        events=shown["events"] or 0,
        outside=read["sessions"] - totals["views"],
        totals=totals | {"profiles": shown["profiles"]},
        hours=every_hour(busy_hours),
        week=average_week(busy_hours, period),
        titles=rows("title", top_titles_df.orderBy(F.desc("minutes"), "title_id")),
        devices=rows("device", by("device_type")),
        app_versions=rows("app version", by("device_type", "app_version")),
        countries=rows("country", by("country")),
        meanings={measure.name: measure.meaning for measure in measures()},
    )


def every_hour(busy_hours: Rows) -> Rows:
    """Hours in order with those in between that nobody watched, as zeros: a line must fall to zero, not bridge them."""
    if not busy_hours:
        return []
    by_hour = {row["hour"]: row for row in busy_hours}
    silence = {"starts": 0, "minutes": 0.0, "failures": 0}
    return [
        {"hour": hour} | {name: by_hour.get(hour, silence)[name] for name in silence}
        for hour in range(min(by_hour), max(by_hour) + HOUR_MS, HOUR_MS)
    ]


def average_week(busy_hours: Rows, period: Period) -> Rows:
    """Minutes and starts of each weekday's hours, averaged over the days of that weekday in the period.

    All 24 hours of each weekday that occurs; days without any viewing count as zero.
    """
    days = Counter(day.weekday() for day in period.days)
    minutes: Counter[tuple[int, int]] = Counter()
    starts: Counter[tuple[int, int]] = Counter()
    for row in busy_hours:
        moment = datetime.fromtimestamp(row["hour"] / 1000, UTC)
        slot = moment.weekday(), moment.hour
        minutes[slot] += row["minutes"]
        starts[slot] += row["starts"]
    return [
        {
            "weekday": weekday,
            "hour": hour,
            "minutes": minutes[weekday, hour] / days[weekday],
            "starts": starts[weekday, hour] / days[weekday],
        }
        for weekday in sorted(days)
        for hour in range(24)
    ]


def _one(figures_df: DataFrame) -> dict[str, Any]:
    row = figures_df.first()
    assert row is not None  # an aggregate without groups always has one row
    return row.asDict()
