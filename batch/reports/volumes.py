"""The size and freshness of each family's table."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.tables.table import Table


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


def _union(parts: Sequence[DataFrame]) -> DataFrame:
    whole_df, *others = parts
    for part_df in others:
        whole_df = whole_df.unionByName(part_df)
    return whole_df
