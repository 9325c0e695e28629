"""Every profile's whole viewing history, read as members read it, as one day's snapshot in a table."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice

import polars as pl
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.tables.audit import AuditFailed, publish_if_sound
from batch.tables.ingest import Stage
from batch.tables.table import Table, replace_partitions
from batch.tables.table_schemas import RECORDS
from domain.history.reading import FullHistory, HistoryReader
from schemas.events import ViewingRecord

AT_ONCE = 32
"""Profiles that are read at the same time."""
CHUNK = 100_000
"""Records that are in memory at a time."""
_POLARS: dict[str, type[pl.DataType] | pl.DataType] = {
    "string": pl.String,
    "int": pl.Int32,
    "bigint": pl.Int64,
    "boolean": pl.Boolean,
    "timestamp": pl.Datetime("ms", "UTC"),
}


def whole_histories(profiles: Iterable[str], reader: HistoryReader) -> Iterator[ViewingRecord]:
    """Of all profiles. Raises TransientError, and AuditFailed for a history of which a part can't be read."""
    rest = iter(profiles)
    while some := list(islice(rest, AT_ONCE)):
        for profile, whole in zip(some, asyncio.run(_read(reader, some)), strict=True):
            if not whole.complete:
                raise AuditFailed(f"a part of the history of {profile} cannot be read")
            yield from whole.records


async def _read(reader: HistoryReader, profiles: Sequence[str]) -> list[FullHistory]:
    return await asyncio.gather(*map(reader.read_all, profiles))


def publish(table: Table, day: date, records: Iterable[ViewingRecord], stage: Stage) -> None:
    """Replace this day's snapshot, all at once. Raises AuditFailed, Rival, and what reading the records raises."""
    table.ensure()
    base, rest, staged = table.history()[0], iter(records), None
    try:
        while chunk := list(islice(rest, CHUNK)):
            chunk_df = rows(table.spark, chunk).withColumn("snapshot_on", F.lit(day))
            staged = staged.more(chunk_df) if staged else table.stage(chunk_df, base, replace_partitions, {})
    except BaseException:
        if staged:
            staged.discard()
        raise
    if staged is None:
        stage("viewing records", 0)
        return
    stage("viewing records", publish_if_sound(staged, staged.rows().where(F.col("snapshot_on") == F.lit(day))))


def rows(spark: SparkSession, records: Sequence[ViewingRecord]) -> DataFrame:
    """The columns of ``RECORDS``."""
    columns = {
        name: pl.Series(name, [getattr(record, name) for record in records]).cast(_POLARS[kind])
        for name, kind in RECORDS.types.items()
    }
    return spark.createDataFrame(pl.DataFrame(columns).to_arrow(compat_level=pl.CompatLevel.oldest()))
