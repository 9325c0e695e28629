"""Pair features: what a profile did with a title. Pure: DataFrame to DataFrame."""

from collections.abc import Collection
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.features.definitions import DEFAULT_RUNTIME_MS, PAIR_FEATURES, WINDOW_DAYS
from batch.features.expressions import days_before, within
from batch.features.point_in_time import at_each, with_since

PAIR = PAIR_FEATURES.key


def watched(known_df: DataFrame, titles_df: DataFrame) -> DataFrame:
    """Sessions as of some midnights (``point_in_time.COLUMNS``) -> what each profile watched of each title.

    ``titles_df``: title_id, runtime_ms.
    """
    newest = F.struct("event_time", "playback_session_id")
    share = F.col("watched_ms") / F.coalesce(F.nullif("runtime_ms", F.lit(0)), F.lit(DEFAULT_RUNTIME_MS))
    return (
        known_df.groupBy(*PAIR)
        .agg(
            F.count("*").alias("plays"),
            F.sum("watched_ms").alias("watched_ms"),
            F.max_by("playhead_ms", newest).alias("bookmark_ms"),
            F.min("event_time").alias("first_watched_at"),
            F.max("event_time").alias("last_watched_at"),
            F.max_by("country", newest).alias("country"),
        )
        .join(titles_df.select("title_id", "runtime_ms"), "title_id", "left")
        .withColumn("watched_share", F.least(share, F.lit(1.0)))
        .drop("runtime_ms")
    )


def pair_features(watched_df: DataFrame, ui_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """``watched``'s rows, and those of titles that were only shown. ``ui_df``: UI events."""
    counts = ("plays", "watched_ms", "impressions_28d", "clicks_28d")
    return (
        watched_df.join(shown(ui_df, as_ofs), [*PAIR], "full")
        .fillna(0, [*counts, "watched_share"])
        .withColumn("days_since", days_before("last_watched_at"))
        .select(*PAIR_FEATURES.types)
    )


def shown(ui_df: DataFrame, as_ofs: Collection[date]) -> DataFrame:
    """How often each profile was shown each title, and opened it, in the window before each midnight."""
    return (
        ui_df.where(F.col("action").isin("impression", "click"))
        .where("profile_id IS NOT NULL AND title_id IS NOT NULL")
        .transform(with_since, as_ofs)
        .groupBy("since", "profile_id", "title_id", F.to_date("event_time").alias("day"))
        .agg(
            F.count_if(F.col("action") == "impression").alias("impressions_28d"),
            F.count_if(F.col("action") == "click").alias("clicks_28d"),
        )
        .transform(at_each, as_ofs)
        .where(within("day", WINDOW_DAYS))
        .groupBy(*PAIR)
        .agg(F.sum("impressions_28d").alias("impressions_28d"), F.sum("clicks_28d").alias("clicks_28d"))
    )
