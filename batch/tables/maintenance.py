"""Maintenance of one table: compact small files, expire old snapshots, delete orphan files. No row changes.

The snapshot that records how far the table has read expires too, so a new snapshot repeats its properties.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import functions as F

from batch.progress import Report
from batch.tables.audit import AuditFailed
from batch.tables.derived_tables import SOURCE
from batch.tables.iceberg_catalog import LAKE
from batch.tables.table import Snapshot, Table, append, snapshot_property
from domain.lake.positions import POSITIONS_KEY

ORPHAN_AGE = timedelta(days=3)
"""Younger files may belong to a job that is still writing. This is Iceberg's own limit, too."""


@dataclass(frozen=True, slots=True)
class MaintenanceOptions:
    now: datetime
    keep: timedelta
    """How long old snapshots stay readable."""
    dry_run: bool


def maintain(table: Table, options: MaintenanceOptions, report: Report) -> None:
    """Raises AuditFailed for a duplicate key, ConcurrentCommit if another job changes the table meanwhile."""
    spark, history = table.spark, table.history()
    files = spark.table(f"{table.name}.files").count()
    report("files", files)
    report("snapshots", len(history))
    _require_unique(table)
    if options.dry_run:
        return
    table.drop_leftovers()
    compacted = spark.sql(f"CALL {LAKE}.system.rewrite_data_files(table => '{table.name}')").first()
    assert compacted is not None
    report("small files compacted", compacted.rewritten_data_files_count)
    spark.sql(f"CALL {LAKE}.system.rewrite_manifests(table => '{table.name}')")
    _restore_properties(table, history)
    expired = spark.sql(
        f"CALL {LAKE}.system.expire_snapshots("
        f"table => '{table.name}', older_than => {_sql_timestamp(options.now - options.keep)})"
    ).first()
    assert expired is not None
    report("files of expired snapshots deleted", expired.deleted_data_files_count)
    if files:  # SeaweedFS answers 403 to a listing of a table that never had a file
        before = _sql_timestamp(options.now - ORPHAN_AGE)
        orphans = spark.sql(f"CALL {LAKE}.system.remove_orphan_files(table => '{table.name}', older_than => {before})")
        report("orphan files deleted", orphans.count())


def _require_unique(table: Table) -> None:
    """Ingest searches for duplicates within a day; this searches the whole table."""
    key = table.schema.key
    twice = table.rows().groupBy(*key).count().where("count > 1").agg(F.count("*"), F.min(F.struct(*key))).first()
    assert twice is not None
    if twice[0]:
        raise AuditFailed(
            f"{table.name}: {twice[0]} keys occur more than once, for instance {', '.join(map(str, twice[1]))}; "
            "`job tables --rebuild` rebuilds the table"
        )


def _restore_properties(table: Table, before: Sequence[Snapshot]) -> None:
    kept = {name: text for name in (POSITIONS_KEY, SOURCE) if (text := snapshot_property(before, name)) is not None}
    newest = table.history()[0]
    if kept.keys() - newest.summary.keys():
        table.stage(table.rows().limit(0), newest, append, kept).publish()


def _sql_timestamp(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}+00:00'"
