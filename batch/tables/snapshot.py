"""Copies every profile's whole viewing history, read the way members read it, into one day's snapshot of a table."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice

import polars as pl
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.progress import Report
from batch.tables.audit import AuditFailed, publish_if_sound
from batch.tables.table import Table, replace_partitions
from batch.tables.table_schemas import RECORDS
from domain.history.reading import FullHistory, HistoryReader
from schemas.events import ViewingRecord

CONCURRENT_READS = 32
CHUNK = 100_000
"""Records in memory at a time."""
_POLARS: dict[str, type[pl.DataType] | pl.DataType] = {
    "string": pl.String,
    "int": pl.Int32,
    "bigint": pl.Int64,
    "boolean": pl.Boolean,
    "timestamp": pl.Datetime("ms", "UTC"),
}


def read_histories(profiles: Iterable[str], reader: HistoryReader) -> Iterator[ViewingRecord]:
    """The records of all profiles. Raises TransientError; AuditFailed if a part of a history cannot be read."""
    rest = iter(profiles)
    while some := list(islice(rest, CONCURRENT_READS)):
        for profile, whole in zip(some, asyncio.run(_read(reader, some)), strict=True):
            if not whole.complete:
                raise AuditFailed(f"a part of the history of {profile} cannot be read")
            yield from whole.records


async def _read(reader: HistoryReader, profiles: Sequence[str]) -> list[FullHistory]:
    return await asyncio.gather(*map(reader.read_all, profiles))


def publish(table: Table, day: date, records: Iterable[ViewingRecord], report: Report) -> None:
    """Replace this day's snapshot in one commit. Raises AuditFailed, ConcurrentCommit, and what ``records`` raises."""
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
        report("viewing records", 0)
        return
    report("viewing records", publish_if_sound(staged, staged.rows().where(F.col("snapshot_on") == F.lit(day))))


def rows(spark: SparkSession, records: Sequence[ViewingRecord]) -> DataFrame:
    """With the columns of ``RECORDS``."""
    fields = {name: "listed_at" if name == "session_started_at" else name for name in RECORDS.types}
    columns = {
        name: pl.Series(name, [getattr(record, fields[name]) for record in records]).cast(_POLARS[kind])
        for name, kind in RECORDS.types.items()
    }
    return spark.createDataFrame(pl.DataFrame(columns).to_arrow(compat_level=pl.CompatLevel.oldest()))
