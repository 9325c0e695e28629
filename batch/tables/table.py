"""One Iceberg table: its columns, what its snapshots remember, and how a change is published.

A change is written to a branch that starts at the snapshot which the change was computed from, and audited there.
Publishing moves ``main`` to it, which Iceberg does only if ``main`` still is where the branch began: a rival's commit
in between makes it fail, never double rows. A job that is killed leaves a branch that nobody reads.
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
from batch.tables.table_schemas import Column, Definition

_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}
_SNAPSHOT_PROPERTY = "snapshot-property."
Write = Callable[[DataFrameWriterV2], None]


class Rival(Exception):
    """Another job changed the table meanwhile: nothing was published, running again does it."""


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
    """Those that the rows touch."""
    writer.overwritePartitions()


def ensure_namespace(spark: SparkSession, namespace: str) -> None:
    """Make the place for tables. Not safe beside itself: SeaweedFS shows a namespace a moment before it can be asked
    about, so it is made once, before tables are made side by side."""
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {LAKE}.{namespace}")


def required(spark: SparkSession, namespace: str, definition: Definition, job: str = "tables") -> "Table":
    """The table. LakeError, which says that ``job`` makes it, while there is none."""
    table = Table(spark, namespace, definition)
    if not table.exists:
        raise LakeError(f"there is no table {table.name}: `playhead job {job}` makes it")
    return table


class Table:
    def __init__(self, spark: SparkSession, namespace: str, definition: Definition) -> None:
        self.definition = definition
        self.name = f"{LAKE}.{namespace}.{definition.name}"
        self.spark = spark

    @property
    def exists(self) -> bool:
        return self.spark.catalog.tableExists(self.name)

    def ensure(self) -> None:
        """Make the table if there is none; add the columns and mend the comments that the definition has changed.

        The namespace must be there.
        """
        if not self.exists:
            self._create()
        present = {field.name: field.metadata.get("comment") for field in self.spark.table(self.name).schema}
        for column in self.definition.columns:
            if column.name not in present:
                self.alter(f"ADD COLUMN {_declared(column)}")
            elif present[column.name] != column.meaning:
                self.alter(f"ALTER COLUMN `{column.name}` COMMENT {_quoted(column.meaning)}")
        if not self.refs():
            self._iceberg().newAppend().commit()  # a first snapshot, for branches to begin at

    def rows(self) -> DataFrame:
        """What is published."""
        return self.spark.table(self.name)

    def rows_at(self, snapshot: int) -> DataFrame:
        return self.spark.read.option("versionAsOf", snapshot).table(self.name)

    def between(self, after: int, until: int) -> DataFrame:
        """The rows that the appends after one snapshot added, up to another, included."""
        reader = self.spark.read.format("iceberg").option("start-snapshot-id", after).option("end-snapshot-id", until)
        return reader.load(self.name)

    def history(self) -> list[Snapshot]:
        """Published snapshots, newest first."""
        metadata = self._metadata()
        return list(_ancestors(_snapshots(metadata), _refs(metadata).get("main")))

    def stage(self, rows_df: DataFrame, base: Snapshot, write: Write, remember: Mapping[str, str]) -> "Staged":
        """Write a change to a branch of its own. ``remember`` goes into the snapshot's summary. May raise Rival."""
        self.drop_leftovers()
        branch = f"staged_{uuid4().hex}"
        self.alter(f"CREATE OR REPLACE BRANCH `{branch}` AS OF VERSION {base.id}")
        writer = self.selected(rows_df).writeTo(f"{self.name}.branch_{branch}")
        for name, value in remember.items():
            writer = writer.option(_SNAPSHOT_PROPERTY + name, value)
        write(writer)
        return Staged(self, branch, base, self.head(branch, base))

    def selected(self, rows_df: DataFrame) -> DataFrame:
        """In the order of the columns."""
        return rows_df.select(*self.definition.types)

    def head(self, branch: str, base: Snapshot) -> Snapshot:
        """What was just written to the branch, on top of ``base``. Raises Rival."""
        metadata = self._metadata()
        written = _snapshots(metadata).get(_refs(metadata).get(branch, 0))
        if written is None or written.parent != base.id:  # a rival took this branch for a leftover
            raise self.rival()
        return written

    def rival(self) -> Rival:
        return Rival(f"another job has changed {self.name}: nothing was published, run again")

    def drop_leftovers(self) -> None:
        """Branches of jobs that were killed. One that still runs fails: a table has one writer."""
        for leftover in self.refs().keys() - {"main"}:
            self.alter(f"DROP BRANCH `{leftover}`")

    def _create(self) -> None:
        columns = ", ".join(map(_declared, self.definition.columns))
        partition = f"PARTITIONED BY ({self.definition.partition})" if self.definition.partition else ""
        properties = ", ".join(f"'{name}'='{value}'" for name, value in _PROPERTIES.items())
        self.spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}) USING iceberg {partition} "
            f"COMMENT {_quoted(self.definition.meaning)} TBLPROPERTIES ({properties})"
        )

    def alter(self, change: str) -> None:
        self.spark.sql(f"ALTER TABLE {self.name} {change}")

    def refs(self) -> dict[str, int]:
        """Branches and the snapshots they stand at."""
        return _refs(self._metadata())

    def _metadata(self) -> dict[str, Any]:
        """Iceberg's metadata of the table as they are now, by the names of its format.

        Of Iceberg itself, as a query on ``.snapshots`` or ``.refs`` is a Spark job, and a run asks a hundred times.
        """
        metadata = self._iceberg().operations().refresh()
        said: dict[str, Any] = json.loads(self._jvm.org.apache.iceberg.TableMetadataParser.toJson(metadata))
        return said

    def _iceberg(self) -> Any:
        """Iceberg's own Java object."""
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
        """The rows that an append brings."""
        return self.table.between(self.base.id, self.written.id)

    def rows(self) -> DataFrame:
        """All rows as they would be after publishing."""
        return self.table.rows_at(self.written.id)

    def more(self, rows_df: DataFrame) -> "Staged":
        """With these rows too. May raise Rival."""
        self.table.selected(rows_df).writeTo(f"{self.table.name}.branch_{self.branch}").append()
        return replace(self, written=self.table.head(self.branch, self.written))

    def publish(self) -> None:
        """One move of ``main``. Raises Rival when it is no longer where the change began."""
        move = f"CALL {LAKE}.system.fast_forward('{self.table.name}', 'main', '{self.branch}')"
        try:
            self.table.spark.sql(move)
        except IllegalArgumentException as error:
            raise self.table.rival() from error
        finally:
            self.discard()

    def discard(self) -> None:
        self.table.alter(f"DROP BRANCH IF EXISTS `{self.branch}`")


def remembered(history: Sequence[Snapshot], name: str) -> str | None:
    """What the newest snapshot that says anything of it says."""
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
    """As far back as snapshots have not expired."""
    while newest is not None and newest in known:
        yield known[newest]
        newest = known[newest].parent


def _declared(column: Column) -> str:
    return f"`{column.name}` {column.type} COMMENT {_quoted(column.meaning)}"


def _quoted(text: str) -> str:
    """As a literal of Spark's SQL, which knows JSON's escapes."""
    return json.dumps(text, ensure_ascii=False)
