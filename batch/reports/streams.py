"""Accounts that were watched on more streams at once than their plan allows. Pure: DataFrames to a DataFrame.

Slots prevent that, except while their store is away, and except for a client that lies: this is how we find out.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from batch.reports.views import is_viewing

STREAM_COLUMNS = {
    "event_time": "timestamp",
    "account_id": "string",
    "playback_session_id": "string",
    "player_state": "string",
    "state_since_ms": "bigint",
}
"""The columns of playback events that are read."""
PLAN_COLUMNS = {"account_id": "string", "seq": "bigint", "received_at": "timestamp", "streams": "int"}
"""The columns of entitlements that are read."""
FEW_MINUTES = 3
"""Fewer on a day are no offence: a stream that a member stops elsewhere plays on for half a minute."""


def crowded_accounts(events_df: DataFrame, plans_df: DataFrame) -> DataFrame:
    """``day``, ``account_id``, ``allowed`` (streams of the plan), ``most`` (streams at once) and ``minutes`` (full
    minutes at which there were more than allowed), for accounts with ``FEW_MINUTES`` or more on a day.

    A stream counts at a full minute if somebody watches it both in the minute before and in the one after: players send
    an event twice a minute, and one title after the other is one stream. Accounts without a known plan, and events
    without an account, are left out.
    """
    return (
        streams_at_once(events_df)
        .join(plans_df.withColumnRenamed("streams", "_allowed"), "account_id")
        .where(F.col("received_at") <= F.col("at"))
        .groupBy("account_id", "at", "streams")
        .agg(F.max_by("_allowed", "seq").alias("_allowed"))
        .where("streams > _allowed")
        .groupBy(F.to_date("at").alias("day"), "account_id")
        .agg(
            F.max("_allowed").alias("allowed"),
            F.max("streams").alias("most"),
            F.count("*").alias("minutes"),
        )
        .where(F.col("minutes") >= FEW_MINUTES)
    )


def streams_at_once(events_df: DataFrame) -> DataFrame:
    """``account_id``, ``at`` (a full minute) and ``streams``, where there were two or more."""
    minute = F.floor(F.unix_seconds("event_time") / 60)
    in_order = Window.partitionBy("account_id", "playback_session_id").orderBy("_minute")
    return (
        events_df.where(F.col("account_id").isNotNull() & is_viewing("player_state", "state_since_ms"))
        .select("account_id", "playback_session_id", minute.alias("_minute"))
        .distinct()
        .withColumn("_before", F.lag("_minute").over(in_order))
        .where("_minute = _before + 1")
        .groupBy("account_id", F.timestamp_seconds(F.col("_minute") * 60).alias("at"))
        .agg(F.count("*").alias("streams"))
        .where("streams > 1")
    )
