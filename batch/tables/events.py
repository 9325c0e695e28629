"""Raw records -> each event once. Pure: DataFrame to DataFrame.

A client that sends an event twice sends the same key columns (``TableSchema.key``) and the same Kafka key, so Kafka
puts both into one partition. The first in the log is kept, in one batch or years apart. Any division into batches
therefore gives the same table. If a client gives two events one id, they differ in other key columns: both are kept.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

DAY = timedelta(days=1)
STAMPED = ("sent_at", "received_at", "event_time", "start_time")
"""What the collector says of an event: it differs from one delivery to the next."""
LOG_POSITION = "_log_position"
"""Position in the log: sorts like the objects' keys and the records in them."""


def with_log_position(raw_df: DataFrame) -> DataFrame:
    """Adds ``LOG_POSITION`` to rows read from files. Spark may split a file, and reads each block in order."""
    place = F.struct("_metadata.file_path", "_metadata.file_block_start", F.monotonically_increasing_id())
    return raw_df.withColumn(LOG_POSITION, place)


def first_in_log(positioned_df: DataFrame, key: Sequence[str]) -> DataFrame:
    """One row per event."""
    same_event = Window.partitionBy(*key).orderBy(LOG_POSITION)
    return (
        positioned_df.withColumn("_nth", F.row_number().over(same_event)).where("_nth = 1").drop("_nth", LOG_POSITION)
    )


def without_known(
    events_df: DataFrame, known_df: DataFrame, days: Collection[date], key: Sequence[str], time: str
) -> DataFrame:
    """Without the events that ``known_df`` has on these days by ``time``, or one day earlier or later.

    The event times of a duplicate differ by network delay only, which is far less than a day.
    """
    around = {day + n * DAY for day in days for n in (-1, 0, 1)}
    return events_df.join(known_df.where(on_days(time, around)).select(*key), [*key], "left_anti")


def conflicts(
    raw_df: DataFrame, kept_df: DataFrame, days: Collection[date], key: Sequence[str], time: str
) -> DataFrame:
    """The rows that were left out as repeats and are none, since the client says something else of them than of the
    event that was kept under their key. ``kept_df`` is the table. The columns of the key."""
    around = {day + n * DAY for day in days for n in (-1, 0, 1)}
    said = [name for name in raw_df.columns if name not in STAMPED]
    other = F.to_json(F.struct(*said)).alias("_other")
    kept_df = kept_df.where(on_days(time, around)).select(*key, F.to_json(F.struct(*said)).alias("_kept"))
    return raw_df.select(*key, other).join(kept_df, [*key]).where("_other <> _kept").select(*key)


def on_days(time: str, days: Iterable[date]) -> Column:
    """Whether this time is on one of these UTC days. Written as ranges, so that Iceberg can skip partitions."""
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
