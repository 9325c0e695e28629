"""What Spark computes for the pages: small additive aggregates, so that days and groups can be added up later.

``metrics`` computes ratios and percentiles from them. All are pure, DataFrame to DataFrame; only ``volumes`` and
``newest`` read tables.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.reports.views import QUARTERS, is_viewing
from batch.tables.table import Table
from domain.quality.formulas import STARTUP_BOUNDS_MS

GROUPINGS = {
    "all": (),
    "hour": ("hour",),
    "device": ("device_type",),
    "version": ("device_type", "app_version"),
    "country": ("country",),
    "title": ("title_id",),
}
"""Name of a grouping -> its keys, besides the day."""
KEYS = ("hour", "device_type", "app_version", "country", "title_id")
STARTUPS = tuple(f"startups_{n}" for n in range(len(STARTUP_BOUNDS_MS) + 1))
"""The startup time histogram: starts by bucket."""
LEFT = tuple(f"left_{n}" for n in range(1, QUARTERS + 1))
"""Unfinished views, by the quarter of the title in which they ended."""
EVENT_COLUMNS = {
    "event_time": "timestamp",
    "playback_session_id": "string",
    "player_state": "string",
    "state_since_ms": "bigint",
}
"""The columns of playback events that are read."""
UI_COLUMNS = {"event_time": "timestamp", "profile_id": "string", "title_id": "string", "action": "string"}
"""The columns of UI events that are read."""
STEPS = ("shown", "opened", "played", "started", "finished")
"""A step only counts choices that reached the step before, so no step has more than its predecessor."""
_CHOICE = ("day", "profile_id", "title_id")


def aggregates_by_day(views_df: DataFrame) -> DataFrame:
    """``day``, ``grouping`` (a name in GROUPINGS), KEYS (null if not a key of the grouping) and the aggregates."""
    sets = [[F.col("day"), *map(F.col, keys)] for keys in GROUPINGS.values()]
    name = F.col("_id")
    named = F.coalesce(*(F.when(name == _id(keys), grouping) for grouping, keys in GROUPINGS.items()))
    summed = [column.cast("bigint").alias(name) for name, column in aggregates().items()]
    return (
        views_df.groupingSets(sets, "day", *KEYS)
        .agg(F.grouping_id().alias("_id"), *summed)
        .withColumn("grouping", named)
        .drop("_id")
    )


def aggregates() -> dict[str, Column]:
    """The aggregates of a group of views. Durations are in milliseconds."""
    return {
        "views": F.count("*"),
        "starts": F.count_if("started"),
        "failures": F.count_if("failed"),
        "exits": F.count_if("exited"),
        "finishes": F.count_if("finished"),
        "watched_ms": F.sum("watched_ms"),
        "rebuffers": F.sum("rebuffer_count"),
        "rebuffer_ms": F.sum("rebuffer_ms"),
        "events": F.sum("events"),
        "events_sent": F.sum(F.greatest(F.col("seq") + 1, F.col("events"))),
        **{name: F.count_if(F.col("left_in") == n) for n, name in enumerate(LEFT, 1)},
        **dict(zip(STARTUPS, _startups(), strict=True)),
    }


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


def choices(ui_df: DataFrame, views_df: DataFrame) -> DataFrame:
    """One row per day, profile and title that was shown or played: STEPS as booleans, and ``unbrowsed``.

    unbrowsed: played without a click on the title on that day (autoplay, a link, a click before midnight). The funnel
    does not count these plays; ``funnel_by_day`` counts them apart.
    """
    saw = F.col("action").isin("impression", "click") & F.col("profile_id").isNotNull() & F.col("title_id").isNotNull()
    browsed_df = (
        ui_df.where(saw)
        .groupBy(F.to_date("event_time").alias("day"), "profile_id", "title_id")
        .agg(F.bool_or(F.col("action") == "click").alias("opened"))
        .withColumn("shown", F.lit(True))
    )
    played_df = views_df.groupBy(*_CHOICE).agg(
        F.lit(True).alias("played"), F.bool_or("started").alias("started"), F.bool_or("finished").alias("finished")
    )
    joined_df = browsed_df.join(played_df, [*_CHOICE], "full").na.fill(False, [*STEPS])
    so_far, nested = F.lit(True), {}
    for step in STEPS:
        so_far = so_far & F.col(step)
        nested[step] = so_far
    return joined_df.select(
        *_CHOICE, F.col("played").alias("pressed_play"), *(c.alias(n) for n, c in nested.items())
    ).select("*", (F.col("pressed_play") & ~F.col("opened")).alias("unbrowsed"))


def funnel_by_day(choices_df: DataFrame) -> DataFrame:
    """``day``; for each step its choices and ``<step>_members``; ``unbrowsed``; ``members`` who pressed play."""
    a_member_df = choices_df.groupBy("day", "profile_id").agg(
        *(F.count_if(step).alias(step) for step in (*STEPS, "unbrowsed", "pressed_play"))
    )
    return a_member_df.groupBy("day").agg(
        *(F.sum(step).alias(step) for step in (*STEPS, "unbrowsed")),
        *(F.count_if(F.col(step) > 0).alias(f"{step}_members") for step in STEPS),
        F.count_if(F.col("pressed_play") > 0).alias("members"),
    )


def volumes(tables: Sequence[Table]) -> DataFrame:
    """``family``, ``day`` (of event time), ``rows``, ``bytes`` for each day in a table, from Iceberg's metadata."""
    return _union(
        [
            table.spark.table(f"{table.name}.partitions").select(
                F.lit(table.schema.name).alias("family"),
                F.col("partition.event_time_day").alias("day"),
                F.col("record_count").alias("rows"),
                F.col("total_data_file_size_in_bytes").alias("bytes"),
            )
            for table in tables
        ]
    )


def newest(tables: Sequence[Table]) -> DataFrame:
    """``family`` and ``received_at``: when its newest event was received, in milliseconds; null if there is none."""
    return _union(
        [
            table.rows()
            .agg(F.max("received_at").alias("received_at"))
            .select(F.lit(table.schema.name).alias("family"), F.unix_millis("received_at").alias("received_at"))
            for table in tables
        ]
    )


def _startups() -> list[Column]:
    """Counts in the buckets of ``formulas.startup_bucket``."""
    startup = F.col("startup_time_ms")
    lowers: Sequence[int | None] = (None, *STARTUP_BOUNDS_MS)
    uppers: Sequence[int | None] = (*STARTUP_BOUNDS_MS, None)
    counts = []
    for lower, upper in zip(lowers, uppers, strict=True):
        above = F.lit(True) if lower is None else startup > lower
        counts.append(F.count_if(above & (startup.isNotNull() if upper is None else startup <= upper)))
    return counts


def _id(keys: Sequence[str]) -> int:
    """Spark's id of a grouping set: one bit for each column not in the set, the last column's lowest."""
    return sum(1 << n for n, key in enumerate(reversed(KEYS)) if key not in keys)


def _union(parts: Sequence[DataFrame]) -> DataFrame:
    whole_df, *others = parts
    for part_df in others:
        whole_df = whole_df.unionByName(part_df)
    return whole_df
