"""Raw objects -> the table of one topic's records. Incremental and idempotent: a second run changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import structlog
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.progress import Report
from batch.tables import audit, raw
from batch.tables import lake_errors as lake
from batch.tables.events import conflicts, first_in_log, with_log_position, without_known
from batch.tables.table import Snapshot, Table, append, replace_all, snapshot_property
from batch.tables.table_schemas import INGESTED
from domain.lake import positions as lake_positions
from domain.lake.ports import ObjectReader
from domain.lake.positions import POSITIONS_KEY, Positions
from domain.lake.reading import LakeObject
from schemas.avro import schema
from schemas.topics import TABLE_TOPICS

NAMED_CONFLICTS = 20
log = structlog.get_logger(__name__)


class PositionsLost(Exception):
    """The table has rows, and no snapshot records which raw objects they came from."""


@dataclass(frozen=True, slots=True)
class IngestContext:
    """What all tables of a run share."""

    spark: SparkSession
    store: ObjectReader
    root: str
    """The bucket's address in Spark, for instance ``s3a://lake``."""
    namespace: str
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """The objects to read, and the days of the events in them."""

    objects: Sequence[LakeObject]
    days: Sequence[date]
    rows: int


def ingest(context: IngestContext, name: str, report: Report, *, rebuild: bool = False) -> None:
    """Append the records of new raw objects to the table of this name.

    ``rebuild``: read every raw object and replace all rows, in one commit.
    Raises LakeError, AuditFailed, ConcurrentCommit or PositionsLost before anything is published.
    """
    table = Table(context.spark, context.namespace, INGESTED[name])
    if not context.dry_run:
        table.ensure()
    history = table.history() if table.exists else []
    positions = {} if rebuild else known_positions(table, history)
    topic = TABLE_TOPICS[name]
    objects = raw.new_objects(context.store, topic.name, positions)
    report("objects found", len(objects))
    if not objects and not rebuild:
        return
    report("positions lost before the lake", sum(each.end - each.start for each in objects if each.kind == "gap"))
    report("dead letters left out", sum(each.dead_letters for each in objects))
    batch = checked(context, objects, topic.record, table.schema.time)
    report("rows read", batch.rows)

    events_df = rows_of(context, batch.objects, topic.record)
    if batch.objects:
        events_df = events_df.transform(with_log_position).transform(first_in_log, table.schema.key)
    if history and not rebuild:
        events_df = events_df.transform(without_known, table.rows(), batch.days, table.schema.key, table.schema.time)
    if context.dry_run:
        report("rows to append", audit.require_sound(events_df.select(*table.schema.types), table.schema))
        return
    came = {POSITIONS_KEY: lake_positions.encode(lake_positions.after(positions, objects))}
    staged = table.stage(events_df, history[0], replace_all if rebuild else append, came)
    written = audit.publish_if_sound(staged, staged.rows() if rebuild else staged.added())
    report("rows replaced" if rebuild else "rows appended", written)
    left_out = batch.rows - written
    conflicting = _named_conflicts(table, rows_of(context, batch.objects, topic.record), batch.days) if left_out else 0
    report("repeats left out", left_out - conflicting)
    report("conflicts left out", conflicting)


def _named_conflicts(table: Table, raw_df: DataFrame, days: Sequence[date]) -> int:
    """How many events were left out because another event has their key. Logs the first, so that a person finds the
    device: the lake has both, the table the first in the log."""
    found = conflicts(raw_df.select(*table.schema.types), table.rows(), days, table.schema.key, table.schema.time)
    found = found.cache()
    count = found.count()
    for row in found.limit(NAMED_CONFLICTS).collect():
        log.warning("another event has this key", table=table.name, **row.asDict())
    found.unpersist()
    return count


def known_positions(table: Table, history: Sequence[Snapshot]) -> Positions:
    """How far the table has read the lake. Raises PositionsLost."""
    text = snapshot_property(history, POSITIONS_KEY)
    if text is None and any(int(snapshot.summary.get("total-records", 0)) for snapshot in history[:1]):
        raise PositionsLost(f"{table.name} does not record which objects it has read: run again with --rebuild")
    return lake_positions.decode(text) if text else {}


def checked(context: IngestContext, objects: Sequence[LakeObject], record: str, time: str) -> Batch:
    """Verify checksums and schemas, and count the rows. ``time``: the column whose days the batch has.

    Raises AuditFailed, LakeError.
    """
    held = [each for each in objects if each.records]
    if not held:
        return Batch(held, (), 0)
    bytes_df = context.spark.read.format("binaryFile").load(_paths(context.root, held))
    found = bytes_df.select("path", F.sha2("content", 256).alias("sha256")).collect()
    audit.require_checksums(held, {_key(row.path): row.sha256 for row in found})
    raw.require_known_schemas(context.store, held, schema(record))
    counted = (
        rows_of(context, held, record)
        .groupBy(F.col("_metadata.file_path").alias("path"), F.to_date(time).alias("day"))
        .count()
        .collect()
    )
    rows: dict[str, int] = {}
    for row in counted:
        key = _key(row.path)
        rows[key] = rows.get(key, 0) + row["count"]
    audit.require_counts(held, rows)
    return Batch(held, sorted({row.day for row in counted}), sum(rows.values()))


def rows_of(context: IngestContext, objects: Iterable[LakeObject], record: str) -> DataFrame:
    """Every record of these objects, in no order."""
    return lake.events_in(context.spark, _paths(context.root, objects), schema(record))


def _paths(root: str, objects: Iterable[LakeObject]) -> list[str]:
    return [f"{root}/{each.key}" for each in objects]


def _key(path: str) -> str:
    """The key of a path. Spark spells a local path ``file:/…`` or ``file:///…``."""
    return path[path.index("/raw/") + 1 :]
