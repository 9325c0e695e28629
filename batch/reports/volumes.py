"""How full and how fresh each family's table is, from what Iceberg knows of its files: no row is read."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.tables.table import Table


def volumes(tables: Sequence[Table]) -> DataFrame:
    """``family``, ``day`` (of event time), ``rows``, ``bytes``: a row for each day that a table holds."""
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
    """``family`` and ``received_at``: milliseconds, receipt of the newest event; null while a table is empty."""
    return _union(
        [
            table.rows()
            .agg(F.max("received_at").alias("received_at"))
            .select(F.lit(table.schema.name).alias("family"), F.unix_millis("received_at").alias("received_at"))
            for table in tables
        ]
    )


def _union(parts: Sequence[DataFrame]) -> DataFrame:
    whole_df, *others = parts
    for part_df in others:
        whole_df = whole_df.unionByName(part_df)
    return whole_df
