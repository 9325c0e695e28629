"""What was known at some midnights. Pure: DataFrame to DataFrame, all midnights in one plan.

Something counts at a midnight if it had happened (event time) and was received before it. A session whose newest event
was known then is taken as its row tells it, since no later event can have changed that row. Of a session that has
spoken since, the row says nothing of the past: its state is made again, of the events that were known.
"""

from collections.abc import Collection
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.tables.sessions import merged, sessions_of
from batch.tables.table_schemas import SESSIONS

COLUMNS = (
    *("as_of", "profile_id", "playback_session_id", "title_id", "event_time"),
    *("playhead_ms", "duration_ms", "watched_ms", "rebuffer_ms", "device_type", "country"),
)
"""Of a session's newest known event, beside ``as_of``. Nothing of its first event, which may arrive later."""


def sessions_as_of(sessions_df: DataFrame, events_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """``COLUMNS``: each playback session as it was known at each of these midnights.

    ``events_df``: playback events, those of all sessions that were heard of since the first of the midnights.
    """
    first = F.lit(min(as_ofs))
    settled_df = sessions_df.where(known_at() < first).withColumn("as_of", F.explode(_midnights(as_ofs)))
    spoke_df = sessions_df.where(known_at() >= first).select(*SESSIONS.key)
    parts_df = (
        events_df.join(spoke_df, [*SESSIONS.key], "left_semi")
        .transform(with_since, as_ofs)
        .transform(sessions_of, ("since",))
    )
    moving_df = parts_df.transform(at_each, as_ofs).transform(merged, ("as_of",))
    return settled_df.select(*COLUMNS).unionByName(moving_df.select(*COLUMNS))


def known_at() -> Column:
    """When something both had happened and was received."""
    return F.greatest("event_time", "received_at")


def with_since(any_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """Adds ``since``: the first of the midnights that knows of the row. Rows that none knows are left out."""
    knowing = F.filter(_midnights(as_ofs), lambda midnight: midnight > known_at())
    return any_df.withColumn("since", F.array_min(knowing)).where("since IS NOT NULL")


def at_each(any_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """A row for each of the midnights from ``since`` on, in ``as_of``."""
    later = F.filter(_midnights(as_ofs), lambda midnight: midnight >= F.col("since"))
    return any_df.withColumn("as_of", F.explode(later)).drop("since")


def within(time: str, days: int) -> Column:
    """Whether this time, known before ``as_of``, is less than so many days before it."""
    return F.col(time) >= F.date_sub("as_of", days)


def days_before(time: str) -> Column:
    """From this time to ``as_of``, in days."""
    return (F.unix_millis(F.col("as_of").cast("timestamp")) - F.unix_millis(time)) / 86_400_000


def _midnights(as_ofs: Collection[date]) -> Column:
    return F.array(*(F.lit(day) for day in sorted(as_ofs)))
