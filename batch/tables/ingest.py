"""Raw objects -> one family's table of events: incremental, and as good as once, however often it runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.tables import audit, raw
from batch.tables import lake_errors as lake
from batch.tables.events import first_in_log, not_in, with_place
from batch.tables.table import Snapshot, Table, append, remembered, replace_all
from batch.tables.table_schemas import EVENTS
from domain.lake import positions as lake_positions
from domain.lake.ports import ObjectReader
from domain.lake.positions import POSITIONS_KEY, Positions
from domain.lake.reading import LakeObject
from schemas.avro import schema
from schemas.topics import EVENT_TOPICS

Stage = Callable[[str, int], None]
"""Hears of each step that is done, and of how many rows or objects it was about."""


class PositionsLost(Exception):
    """The table holds rows, but none of its snapshots says which raw objects they came from."""


@dataclass(frozen=True, slots=True)
class Where:
    """What every table of a run shares."""

    spark: SparkSession
    store: ObjectReader
    root: str
    """The same bucket as Spark names it, for instance ``s3a://lake``."""
    namespace: str
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """The objects to take, and the events' days in them."""

    objects: Sequence[LakeObject]
    days: Sequence[date]
    rows: int


def ingest(where: Where, family: str, stage: Stage, *, rebuild: bool = False) -> None:
    """Take what is new. Raises LakeError, AuditFailed, Rival, PositionsLost; then nothing is published.

    ``rebuild``: read every raw object and replace the table's rows by what they hold, in one step.
    """
    table = Table(where.spark, where.namespace, EVENTS[family])
    if not where.dry_run:
        table.ensure()
    history = table.history() if table.exists else []
    positions = {} if rebuild else _positions(table, history)
    topic = EVENT_TOPICS[family]
    objects = raw.new_objects(where.store, topic.name, positions)
    stage("objects found", len(objects))
    if not objects and not rebuild:
        return
    stage("positions lost before the lake", sum(each.end - each.start for each in objects if each.kind == "gap"))
    stage("dead letters left out", sum(each.dead_letters for each in objects))
    batch = _checked(where, objects, topic.record)
    stage("rows read", batch.rows)

    events_df = _read(where, batch.objects, topic.record)
    if batch.objects:
        events_df = events_df.transform(with_place).transform(first_in_log)
    if history and not rebuild:
        events_df = events_df.transform(not_in, table.rows(), batch.days)
    if where.dry_run:
        stage("rows to append", audit.require_sound(events_df.select(*table.definition.types), table.definition))
        return
    came = {POSITIONS_KEY: lake_positions.encode(lake_positions.after(positions, objects))}
    staged = table.stage(events_df, history[0], replace_all if rebuild else append, came)
    written = audit.publish_if_sound(staged, staged.rows() if rebuild else staged.added())
    stage("rows replaced" if rebuild else "rows appended", written)
    stage("repeats left out", batch.rows - written)


def _positions(table: Table, history: Sequence[Snapshot]) -> Positions:
    text = remembered(history, POSITIONS_KEY)
    if text is None and any(int(snapshot.summary.get("total-records", 0)) for snapshot in history[:1]):
        raise PositionsLost(f"{table.name} does not say how far it has come: make it anew with --rebuild")
    return lake_positions.decode(text) if text else {}


def _checked(where: Where, objects: Sequence[LakeObject], record: str) -> Batch:
    """The objects with their bytes verified and their rows counted."""
    held = [each for each in objects if each.records]
    if not held:
        return Batch(held, (), 0)
    bytes_df = where.spark.read.format("binaryFile").load(_paths(where.root, held))
    found = bytes_df.select("path", F.sha2("content", 256).alias("sha256")).collect()
    audit.require_checksums(held, {_key(row.path): row.sha256 for row in found})
    raw.require_known_schemas(where.store, held, schema(record))
    counted = (
        _read(where, held, record)
        .groupBy(F.col("_metadata.file_path").alias("path"), F.to_date("event_time").alias("day"))
        .count()
        .collect()
    )
    rows: dict[str, int] = {}
    for row in counted:
        key = _key(row.path)
        rows[key] = rows.get(key, 0) + row["count"]
    audit.require_counts(held, rows)
    return Batch(held, sorted({row.day for row in counted}), sum(rows.values()))


def _read(where: Where, objects: Iterable[LakeObject], record: str) -> DataFrame:
    return lake.events_in(where.spark, _paths(where.root, objects), schema(record))


def _paths(root: str, objects: Iterable[LakeObject]) -> list[str]:
    return [f"{root}/{each.key}" for each in objects]


def _key(path: str) -> str:
    """Spark writes a local path as ``file:/…`` here and ``file:///…`` there."""
    return path[path.index("/raw/") + 1 :]
