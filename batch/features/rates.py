"""The rates at which plays are completed and abandoned early."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from batch.features.definitions import MIN_VIEW_SHARE, WINDOW_DAYS
from batch.features.point_in_time import within
from domain.history.continue_watching import MAX_SHARE


def rates() -> tuple[Column, Column]:
    """Aggregates over sessions (``point_in_time.COLUMNS``) in the window whose title has a length."""
    length = F.nullif("duration_ms", F.lit(0))
    counted = within("event_time", WINDOW_DAYS)
    finished = F.when(counted, F.col("playhead_ms") / length > MAX_SHARE)
    left = F.when(counted, F.col("watched_ms") / length < MIN_VIEW_SHARE)
    return _share(finished).alias("completion_rate_28d"), _share(left).alias("early_exit_rate_28d")


def _share(outcome: Column) -> Column:
    return F.avg(outcome.cast("int"))
