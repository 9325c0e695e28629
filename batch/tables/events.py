"""Raw records -> each event once. Pure: DataFrame to DataFrame.

An event that a client sent twice keeps its id, and its key, so both lie in one partition of Kafka: the first in the
log is the one that stays, whether both came in one batch or years apart. So any cut into batches gives the same table.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

DAY = timedelta(days=1)
PLACE = "_place"
"""Where in the log: sorts as the objects' keys and the records in them do."""


def with_place(raw_df: DataFrame) -> DataFrame:
    """Adds ``PLACE`` to rows as they come from files: a task reads blocks of one file in order, files may be split."""
    place = F.struct("_metadata.file_path", "_metadata.file_block_start", F.monotonically_increasing_id())
    return raw_df.withColumn(PLACE, place)


def first_in_log(placed_df: DataFrame) -> DataFrame:
    """One row an event id."""
    same_event = Window.partitionBy("event_id").orderBy(PLACE)
    return placed_df.withColumn("_nth", F.row_number().over(same_event)).where("_nth = 1").drop("_nth", PLACE)


def not_in(events_df: DataFrame, known_df: DataFrame, days: Collection[date]) -> DataFrame:
    """Those that ``known_df`` does not have on these days of event time or a day before or after.

    A repeat's event time differs by what the network did; a day is far more than that.
    """
    around = {day + n * DAY for day in days for n in (-1, 0, 1)}
    return events_df.join(known_df.where(on_days("event_time", around)).select("event_id"), "event_id", "left_anti")


def on_days(time: str, days: Iterable[date]) -> Column:
    """Whether this time is on one of these UTC days, as ranges by which Iceberg skips partitions."""
    known = set(days)
    firsts = sorted(day for day in known if day - DAY not in known)
    lasts = sorted(day + DAY for day in known if day + DAY not in known)
    ranges = [
        (F.col(time) >= F.lit(_midnight(first))) & (F.col(time) < F.lit(_midnight(end)))
        for first, end in zip(firsts, lasts, strict=True)
    ]
    return reduce(or_, ranges, F.lit(False))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
