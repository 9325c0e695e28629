"""Raw objects of the compacted topic -> the table of assets: the record with the highest seq of each title."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.progress import Report
from batch.tables import raw
from batch.tables.audit import publish_if_sound
from batch.tables.ingest import IngestContext, checked, known_positions, rows_of
from batch.tables.table import Table, replace_all
from batch.tables.table_schemas import ASSETS
from domain.lake import positions as lake_positions
from domain.lake.positions import POSITIONS_KEY
from schemas import topics

_RECORD = topics.ASSETS.record


def update_assets(context: IngestContext, report: Report, *, rebuild: bool = False) -> None:
    """Take new raw objects; ``rebuild``: all of them. Any order of records, and any repeat, gives the same table.

    Raises LakeError, AuditFailed, ConcurrentCommit or PositionsLost before anything is published.
    """
    table = Table(context.spark, context.namespace, ASSETS)
    if not context.dry_run:
        table.ensure()
    history = table.history() if table.exists else []
    positions = {} if rebuild else known_positions(table, history)
    objects = raw.new_objects(context.store, topics.ASSETS.name, positions)
    report("objects found", len(objects))
    if not objects and not rebuild:
        return
    batch = checked(context, objects, _RECORD, time="received_at")
    report("rows read", batch.rows)
    if context.dry_run:
        return
    records_df = table.selected(rows_of(context, batch.objects, _RECORD))
    if not rebuild:
        records_df = table.rows().unionByName(records_df)
    came = {POSITIONS_KEY: lake_positions.encode(lake_positions.after(positions, objects))}
    staged = table.stage(records_df.transform(newest), history[0], replace_all, came)
    report("titles with a record", publish_if_sound(staged, staged.rows()))


def newest(records_df: DataFrame) -> DataFrame:
    """One row a title."""
    record = F.struct(*(name for name in ASSETS.types if name != topics.ASSETS.key))
    return (
        records_df.groupBy(topics.ASSETS.key)
        .agg(F.max_by(record, F.struct("seq", "event_id")).alias("newest"))
        .select(topics.ASSETS.key, "newest.*")
    )
