"""One Iceberg table: its columns, the properties of its snapshots, and how a change is published.

A change is written to a branch and audited there. The branch starts at the snapshot that the change was computed from.
Publishing fast-forwards ``main`` to the branch. Iceberg refuses that if another job has committed meanwhile, so rows
are never doubled. A killed job leaves a branch that nobody reads.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from pyspark.errors import IllegalArgumentException
from pyspark.sql import DataFrame, DataFrameWriterV2, SparkSession
from pyspark.sql import functions as F

from batch.tables.iceberg_catalog import LAKE
from batch.tables.lake_errors import LakeError
from batch.tables.table_schemas import Column, TableSchema

_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}
_SNAPSHOT_PROPERTY = "snapshot-property."
Write = Callable[[DataFrameWriterV2], None]


class ConcurrentCommit(Exception):
    """Another job changed the table meanwhile. Nothing was published; run again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    id: int
    parent: int | None
    operation: str
    summary: Mapping[str, str]


def append(writer: DataFrameWriterV2) -> None:
    writer.append()


def replace_all(writer: DataFrameWriterV2) -> None:
    writer.overwrite(F.lit(True))


def replace_partitions(writer: DataFrameWriterV2) -> None:
    """Replace the partitions that have rows in the change."""
    writer.overwritePartitions()


def ensure_namespace(spark: SparkSession, namespace: str) -> None:
    """Create the namespace. Call it once, before tables are created concurrently: SeaweedFS lists a new namespace a
    moment before requests for it work."""
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {LAKE}.{namespace}")


def require_table(spark: SparkSession, namespace: str, schema: TableSchema, job: str = "tables") -> "Table":
    """The table. Raises a LakeError that names the job that makes it if there is none."""
    table = Table(spark, namespace, schema)
    if not table.exists:
        raise LakeError(f"table {table.name} does not exist: `playhead job {job}` makes it")
    return table


class Table:
    def __init__(self, spark: SparkSession, namespace: str, schema: TableSchema) -> None:
        self.schema = schema
        self.name = f"{LAKE}.{namespace}.{schema.name}"
        self.spark = spark

    @property
    def exists(self) -> bool:
        return self.spark.catalog.tableExists(self.name)

    def ensure(self) -> None:
        """Create the table if needed, add new columns, update changed comments. The namespace must exist."""
        if not self.exists:
            self._create()
        present = {field.name: field.metadata.get("comment") for field in self.spark.table(self.name).schema}
        for column in self.schema.columns:
            if column.name not in present:
                self.alter(f"ADD COLUMN {_declared(column)}")
            elif present[column.name] != column.doc:
                self.alter(f"ALTER COLUMN `{column.name}` COMMENT {_quoted(column.doc)}")
        if not self.refs():
            self._iceberg().newAppend().commit()  # a first snapshot, from which branches can start

    def rows(self) -> DataFrame:
        """Published rows."""
        return self.spark.table(self.name)

    def rows_at(self, snapshot: int) -> DataFrame:
        return self.spark.read.option("versionAsOf", snapshot).table(self.name)

    def between(self, after: int, until: int) -> DataFrame:
        """The rows of all appends after one snapshot, up to and including another."""
        reader = self.spark.read.format("iceberg").option("start-snapshot-id", after).option("end-snapshot-id", until)
        return reader.load(self.name)

    def history(self) -> list[Snapshot]:
        """Published snapshots, newest first."""
        metadata = self._metadata()
        return list(_ancestors(_snapshots(metadata), _refs(metadata).get("main")))

    def stage(self, rows_df: DataFrame, base: Snapshot, write: Write, properties: Mapping[str, str]) -> "Staged":
        """Write a change to a new branch. ``properties`` go into the snapshot's summary. Raises ConcurrentCommit."""
        self.drop_leftovers()
        branch = f"staged_{uuid4().hex}"
        self.alter(f"CREATE OR REPLACE BRANCH `{branch}` AS OF VERSION {base.id}")
        writer = self.selected(rows_df).writeTo(f"{self.name}.branch_{branch}")
        for name, value in properties.items():
            writer = writer.option(_SNAPSHOT_PROPERTY + name, value)
        write(writer)
        return Staged(self, branch, base, self.head(branch, base))

    def selected(self, rows_df: DataFrame) -> DataFrame:
        """With the table's columns, in their order."""
        return rows_df.select(*self.schema.types)

    def head(self, branch: str, base: Snapshot) -> Snapshot:
        """The snapshot just written to the branch, on top of ``base``. Raises ConcurrentCommit."""
        metadata = self._metadata()
        written = _snapshots(metadata).get(_refs(metadata).get(branch, 0))
        if written is None or written.parent != base.id:  # another job dropped this branch as a leftover
            raise self.concurrent_commit()
        return written

    def concurrent_commit(self) -> ConcurrentCommit:
        return ConcurrentCommit(f"another job has changed {self.name}: nothing was published, run again")

    def drop_leftovers(self) -> None:
        """Drop branches of killed jobs. A job that still runs fails then: a table has one writer."""
        for leftover in self.refs().keys() - {"main"}:
            self.alter(f"DROP BRANCH `{leftover}`")

    def _create(self) -> None:
        columns = ", ".join(map(_declared, self.schema.columns))
        partition = f"PARTITIONED BY ({self.schema.partition})" if self.schema.partition else ""
        properties = ", ".join(f"'{name}'='{value}'" for name, value in _PROPERTIES.items())
        self.spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}) USING iceberg {partition} "
            f"COMMENT {_quoted(self.schema.doc)} TBLPROPERTIES ({properties})"
        )

    def alter(self, change: str) -> None:
        self.spark.sql(f"ALTER TABLE {self.name} {change}")

    def refs(self) -> dict[str, int]:
        """Branch -> snapshot id."""
        return _refs(self._metadata())

    def _metadata(self) -> dict[str, Any]:
        """The table's current metadata, with the names of Iceberg's format.

        Iceberg's Java API answers without a Spark job; a query on ``.snapshots`` or ``.refs`` would start one, and a
        run needs the metadata a hundred times.
        """
        metadata = self._iceberg().operations().refresh()
        parsed: dict[str, Any] = json.loads(self._jvm.org.apache.iceberg.TableMetadataParser.toJson(metadata))
        return parsed

    def _iceberg(self) -> Any:
        """Iceberg's Java object of the table."""
        return self._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(self.spark._jsparkSession, self.name)

    @property
    def _jvm(self) -> Any:
        return self.spark._jvm


@dataclass(frozen=True, slots=True)
class Staged:
    """A change on its branch, not yet published."""

    table: Table
    branch: str
    base: Snapshot
    written: Snapshot

    def added(self) -> DataFrame:
        """The rows that an append added."""
        return self.table.between(self.base.id, self.written.id)

    def rows(self) -> DataFrame:
        """All rows as they will be after publishing."""
        return self.table.rows_at(self.written.id)

    def more(self, rows_df: DataFrame) -> "Staged":
        """Append more rows to the branch. Raises ConcurrentCommit."""
        self.table.selected(rows_df).writeTo(f"{self.table.name}.branch_{self.branch}").append()
        return replace(self, written=self.table.head(self.branch, self.written))

    def publish(self) -> None:
        """Fast-forward ``main``. Raises ConcurrentCommit if it has moved since the change began."""
        move = f"CALL {LAKE}.system.fast_forward('{self.table.name}', 'main', '{self.branch}')"
        try:
            self.table.spark.sql(move)
        except IllegalArgumentException as error:
            raise self.table.concurrent_commit() from error
        finally:
            self.discard()

    def discard(self) -> None:
        self.table.alter(f"DROP BRANCH IF EXISTS `{self.branch}`")


def snapshot_property(history: Sequence[Snapshot], name: str) -> str | None:
    """The value in the newest snapshot that has this property."""
    return next((snapshot.summary[name] for snapshot in history if name in snapshot.summary), None)


def _snapshots(metadata: Mapping[str, Any]) -> dict[int, Snapshot]:
    return {
        each["snapshot-id"]: Snapshot(
            each["snapshot-id"], each.get("parent-snapshot-id"), each["summary"]["operation"], each["summary"]
        )
        for each in metadata["snapshots"]
    }


def _refs(metadata: Mapping[str, Any]) -> dict[str, int]:
    return {name: ref["snapshot-id"] for name, ref in metadata["refs"].items()}


def _ancestors(known: Mapping[int, Snapshot], newest: int | None) -> Iterator[Snapshot]:
    """The snapshots from ``newest`` back to the oldest that has not expired."""
    while newest is not None and newest in known:
        yield known[newest]
        newest = known[newest].parent


def _declared(column: Column) -> str:
    return f"`{column.name}` {column.type} COMMENT {_quoted(column.doc)}"


def _quoted(text: str) -> str:
    """A string literal of Spark SQL, which uses JSON's escapes."""
    return json.dumps(text, ensure_ascii=False)
