"""What was known at some midnights. Pure: DataFrame to DataFrame, all midnights in one plan.

An event counts at a midnight if it happened (event time) and was received before. A session whose newest event was
known then is taken from its row, which no later event has changed. The row of a session with later events does not
show its past state, so that is computed from the events known then.
"""

from collections.abc import Collection
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.tables.sessions import merged, placed, sessions_of
from batch.tables.table_schemas import SESSIONS

COLUMNS = (
    *("as_of", "profile_id", "playback_session_id", "title_id", "event_time"),
    *("playhead_ms", "duration_ms", "watched_ms", "rebuffer_ms", "device_type", "country"),
)
"""``as_of``, and fields of a session's newest known event. None of its first event, which may arrive later."""


def sessions_as_of(sessions_df: DataFrame, events_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """``COLUMNS``: each playback session as it was known at each of these midnights.

    ``events_df``: at least the playback events of all sessions with an event since the first midnight.
    """
    first = F.lit(min(as_ofs))
    settled_df = sessions_df.where(known_at() < first).withColumn("as_of", F.explode(_midnights(as_ofs)))
    active_df = sessions_df.where(known_at() >= first).select(*SESSIONS.key)
    parts_df = (
        events_df.transform(placed)
        .join(active_df, [*SESSIONS.key], "left_semi")
        .transform(with_since, as_ofs)
        .transform(sessions_of, ("since",))
    )
    recomputed_df = parts_df.transform(at_each, as_ofs).transform(merged, ("as_of",))
    return settled_df.select(*COLUMNS).unionByName(recomputed_df.select(*COLUMNS))


def known_at() -> Column:
    """When an event had both happened and been received."""
    return F.greatest("event_time", "received_at")


def with_since(any_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """Adds ``since``: the first midnight at which the row was known. Drops rows that are known at none."""
    later = F.filter(_midnights(as_ofs), lambda midnight: midnight > known_at())
    return any_df.withColumn("since", F.array_min(later)).where("since IS NOT NULL")


def at_each(any_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """One row for each midnight from ``since`` on, in ``as_of``."""
    later = F.filter(_midnights(as_ofs), lambda midnight: midnight >= F.col("since"))
    return any_df.withColumn("as_of", F.explode(later)).drop("since")


def _midnights(as_ofs: Collection[date]) -> Column:
    return F.array(*(F.lit(day) for day in sorted(as_ofs)))
