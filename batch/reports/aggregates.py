"""Views -> one row per day and group with additive aggregates, so that days and groups can be added up later.

One pass over the views computes all groupings. ``metrics`` computes ratios and percentiles from these aggregates.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.reports.views import QUARTERS
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
