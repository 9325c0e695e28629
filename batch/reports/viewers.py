"""Playback events -> concurrent viewers. Pure: DataFrame to DataFrame."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.reports.views import is_viewing

EVENT_COLUMNS = {
    "event_time": "timestamp",
    "playback_session_id": "string",
    "player_state": "string",
    "state_since_ms": "bigint",
}
"""The columns of playback events that are read."""


def viewers_by_minute(events_df: DataFrame) -> DataFrame:
    """``day``, ``minute`` (0 to 1439) and ``viewers``: sessions with an event in that minute in which somebody watches.

    Players send an event twice a minute. Minutes without viewers have no row.
    """
    since_midnight = F.hour("event_time") * 60 + F.minute("event_time")
    return (
        events_df.where(is_viewing("player_state", "state_since_ms"))
        .select(F.to_date("event_time").alias("day"), since_midnight.alias("minute"), "playback_session_id")
        .groupBy("day", "minute")
        .agg(F.count_distinct("playback_session_id").alias("viewers"))
    )
