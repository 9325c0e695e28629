"""Column expressions that several feature tables share."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from batch.features.definitions import MIN_VIEW_SHARE, WINDOW_DAYS
from domain.history.continue_watching import MAX_SHARE


def within(time: str, days: int) -> Column:
    """Whether this time is at most ``days`` days before ``as_of``."""
    return F.col(time) >= F.date_sub("as_of", days)


def days_before(time: str) -> Column:
    """From this time to ``as_of``, in days."""
    return (F.unix_millis(F.col("as_of").cast("timestamp")) - F.unix_millis(time)) / 86_400_000


def rates() -> tuple[Column, Column]:
    """Aggregates over sessions (``point_in_time.COLUMNS``): the completion rate and the early exit rate.

    Only sessions in the window whose title has a length count.
    """
    length = F.nullif("duration_ms", F.lit(0))
    counted = within("event_time", WINDOW_DAYS)
    finished = F.when(counted, F.col("playhead_ms") / length > MAX_SHARE)
    left = F.when(counted, F.col("watched_ms") / length < MIN_VIEW_SHARE)
    return _share(finished).alias("completion_rate_28d"), _share(left).alias("early_exit_rate_28d")


def or_empty(name: str, kind: str) -> Column:
    """An empty list or map instead of null. ``kind``: the column's type, ``array<…>`` or ``map<key,value>``."""
    return F.coalesce(F.col(name), _empty(kind))


def _share(outcome: Column) -> Column:
    return F.avg(outcome.cast("int"))


def _empty(kind: str) -> Column:
    if kind.startswith("array"):
        return F.array().cast(kind)
    keys, values = kind.removeprefix("map<").removesuffix(">").split(",")
    return F.map_from_arrays(F.array().cast(f"array<{keys}>"), F.array().cast(f"array<{values}>"))
