"""Playback sessions -> figures per title, hour, country and device. Pure: DataFrame to DataFrame.

The measures are defined here and nowhere else (``measures``); they follow Mux's public definitions.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

SESSION_COLUMNS = {
    "profile_id": "string",
    "started_at": "timestamp",
    "received_at": "timestamp",
    "title_id": "string",
    "event_type": "string",
    "watched_ms": "bigint",
    "startup_time_ms": "bigint",
    "rebuffer_ms": "bigint",
    "error_fatal": "boolean",
    "device_type": "string",
    "app_version": "string",
    "country": "string",
    "events": "bigint",
}
"""What the report takes of ``playback_sessions``."""
DIMENSIONS = ("title_id", "country", "device_type", "app_version")


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure over any group of sessions."""

    name: str
    column: Column
    meaning: str
    """For a reader of the report, one sentence."""


def with_known_dimensions(sessions_df: DataFrame) -> DataFrame:
    """Null or empty titles, countries, devices and versions become ``unknown``, so that they are counted, not lost."""
    return sessions_df.withColumns(
        {name: F.coalesce(F.nullif(F.trim(name), F.lit("")), F.lit("unknown")) for name in DIMENSIONS}
    )


def with_hour(sessions_df: DataFrame) -> DataFrame:
    """Adds ``hour``, the UTC hour in which the session started; all that it watched counts in that hour."""
    return sessions_df.withColumn("hour", F.date_trunc("hour", "started_at"))


def with_outcome(sessions_df: DataFrame, now: datetime, timeout: timedelta) -> DataFrame:
    """Adds ``started``, ``failed``, ``exited`` (booleans): how the play attempt went.

    started: its first frame was seen. failed: an error ended it, before or after the first frame. exited: left before
    the first frame, without an error; a session that is still open at ``now`` (neither stopped nor ended, and heard of
    within ``timeout``) may yet start and has not exited.
    """
    closed = F.col("event_type").isin("stopped", "ended") | (F.col("received_at") < F.lit(now - timeout))
    started = F.col("startup_time_ms").isNotNull()
    return sessions_df.withColumns(
        {
            "started": started,
            "failed": F.col("error_fatal"),
            "exited": ~started & ~F.col("error_fatal") & closed,
        }
    )


def filter_days(sessions_df: DataFrame, first: date, last: date) -> DataFrame:
    """Sessions that started on one of these UTC days, both included; a session over midnight stays whole."""
    return sessions_df.where(F.to_date("started_at").between(F.lit(first), F.lit(last)))


def _count(condition: str) -> Column:
    return F.count_if(F.col(condition))


def _share(part: Column, whole: Column) -> Column:
    return part / F.nullif(whole, F.lit(0))


def measures() -> tuple[Measure, ...]:
    """What is said of a group of sessions. Ratios are 0 to 1 and null where there is nothing to divide by."""
    views, rebuffer_ms = F.count("*"), F.sum("rebuffer_ms")
    watched_ms = F.sum("watched_ms")
    return (
        Measure("views", views, "Presses of play; a rewatch is another view."),
        Measure("starts", _count("started"), "Views in which the first frame was seen."),
        Measure(
            "minutes", watched_ms / 60_000, "Wall-clock minutes with the picture moving, pauses and stalls left out."
        ),
        Measure("failures", _count("failed"), "Views that an error ended, before or after the first frame."),
        Measure("failure_rate", _share(_count("failed"), views), "Failures as a share of views."),
        Measure("exits", _count("exited"), "Views left before the first frame, without an error."),
        Measure("exit_rate", _share(_count("exited"), views), "Exits before start as a share of views."),
        Measure(
            "rebuffer_ratio",
            _share(rebuffer_ms, rebuffer_ms + watched_ms),
            "Time stalled as a share of time stalled or playing; startup and seeking are not stalls.",
        ),
        Measure(
            "startup_seconds",
            F.percentile_approx("startup_time_ms", 0.5) / 1000,
            "Median time from pressing play to the first frame, in seconds, of views that started.",
        ),
    )


def summarise(sessions_df: DataFrame, *dimensions: str) -> DataFrame:
    """Every measure, one row per combination of ``dimensions`` that occurs (without any: one row in all)."""
    return sessions_df.groupBy(*dimensions).agg(*(measure.column.alias(measure.name) for measure in measures()))


def with_title_names(figures_df: DataFrame, titles_df: DataFrame) -> DataFrame:
    """Adds ``name`` and ``year`` from the catalogue; a title that it doesn't know goes by its id."""
    known_df = titles_df.dropDuplicates(["title_id"])
    return figures_df.join(F.broadcast(known_df), "title_id", "left").withColumn("name", F.coalesce("name", "title_id"))
