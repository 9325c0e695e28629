"""Playback sessions -> views and their outcomes. Pure: DataFrame to DataFrame.

Days are UTC days. A view counts on the day and in the hour in which it began.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.tables.events import on_days
from domain.history.continue_watching import MAX_SHARE
from domain.quality.formulas import FINAL_EVENTS, LONG_STALL_MS, MOST_LOST, VIEWING_STATES
from schemas.countries import UNKNOWN_COUNTRY
from schemas.rules import FIRST_COUNTS, MOST_PER_SECOND, SESSION_SLACK_MS

SESSION_COLUMNS = {
    "profile_id": "string",
    "started_at": "timestamp",
    "received_at": "timestamp",
    "title_id": "string",
    "event_type": "string",
    "seq": "int",
    "events": "bigint",
    "playhead_ms": "bigint",
    "duration_ms": "bigint",
    "watched_ms": "bigint",
    "startup_time_ms": "bigint",
    "rebuffer_count": "int",
    "rebuffer_ms": "bigint",
    "error_fatal": "boolean",
    "device_type": "string",
    "app_version": "string",
    "country": "string",
}
"""The columns of ``playback_sessions`` that are read."""
DIMENSIONS = ("title_id", "country", "device_type", "app_version")
UNKNOWN = "unknown"
QUARTERS = 4


def views(sessions_df: DataFrame, days: Collection[date], now: datetime, timeout: timedelta) -> DataFrame:
    """The sessions that began on one of ``days``, with ``day``, ``hour`` (0 to 23), dimensions and outcome."""
    return (
        sessions_df.where(on_days("started_at", days))
        .withColumns({"day": F.to_date("started_at"), "hour": F.hour("started_at")})
        .transform(with_known_dimensions)
        .transform(with_bounded_counters)
        .transform(with_outcome, now, timeout)
    )


def with_known_dimensions(any_df: DataFrame) -> DataFrame:
    """Replaces null or empty titles, countries, devices and versions by ``unknown``, so that they count."""
    known = {name: F.coalesce(F.nullif(F.trim(name), F.lit("")), F.lit(UNKNOWN)) for name in DIMENSIONS}
    known["country"] = F.when(F.col("country") == UNKNOWN_COUNTRY, UNKNOWN).otherwise(known["country"])
    return any_df.withColumns(known)


def with_bounded_counters(sessions_df: DataFrame) -> DataFrame:
    """Counters as far as the session can have come, as the quality worker bounds them: one client spoils no day."""
    lasted_ms = F.unix_millis("received_at") - F.unix_millis("started_at")
    most_ms = F.greatest(lasted_ms, F.lit(0)) + SESSION_SLACK_MS
    most_rebuffers = (FIRST_COUNTS + most_ms * MOST_PER_SECOND / 1000).cast("int")
    rebuffer_ms = F.least("rebuffer_ms", most_ms)
    return sessions_df.withColumns(
        {
            "watched_ms": F.least("watched_ms", most_ms - rebuffer_ms),
            "rebuffer_ms": rebuffer_ms,
            "rebuffer_count": F.least("rebuffer_count", most_rebuffers),
            "seq": F.least("seq", F.col("events") - 1 + MOST_LOST).cast("int"),
        }
    )


def with_outcome(sessions_df: DataFrame, now: datetime, timeout: timedelta) -> DataFrame:
    """Adds the outcome of a view: ``started``, ``failed``, ``exited``, ``finished`` (booleans) and ``left_in``.

    exited: ended before the first frame without an error, or sent no event for ``timeout`` (a view that is still open
    at ``now`` may yet start). finished: played beyond the share at which a title counts as played. left_in: the quarter
    of the title (1 to 4) in which a started view ended unfinished; null for all other views and for titles without a
    length (live).
    """
    started, failed = F.col("startup_time_ms").isNotNull(), F.col("error_fatal")
    silent = F.col("received_at") < F.lit(now - timeout)
    closed = F.col("event_type").isin(*FINAL_EVENTS) | failed | silent
    share = F.col("playhead_ms") / F.nullif(F.col("duration_ms"), F.lit(0))
    finished = started & F.coalesce(share > MAX_SHARE, F.lit(False))
    quarter = F.least(F.floor(share * QUARTERS) + 1, F.lit(QUARTERS)).cast("int")
    return sessions_df.withColumns(
        {
            "started": started,
            "failed": failed,
            "exited": exited_before_start("event_type", "startup_time_ms", "error_fatal")
            | (silent & ~started & ~failed),
            "finished": finished,
            "left_in": F.when(started & closed & ~finished & share.isNotNull(), quarter),
        }
    )


def exited_before_start(event_type: str, startup_ms: str, failed: str) -> Column:
    """``formulas.exited_before_start`` as a Spark column."""
    return F.col(event_type).isin(*FINAL_EVENTS) & F.col(startup_ms).isNull() & ~F.col(failed)


def is_viewing(player_state: str, state_since_ms: str) -> Column:
    """``formulas.is_viewing`` as a Spark column."""
    stalled_long = (F.col(player_state) == "rebuffering") & (F.col(state_since_ms) > LONG_STALL_MS)
    return F.col(player_state).isin(*VIEWING_STATES) & ~stalled_long
