"""Upkeep of one table: small files become large ones, old snapshots go, and so do files that no snapshot names.

Rows stay as they are. How far the table has come is said again after compacting, in a snapshot of its own, since the
one that said it will expire.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import functions as F

from batch.tables.audit import AuditFailed
from batch.tables.derived_tables import SOURCE
from batch.tables.iceberg_catalog import LAKE
from batch.tables.ingest import Stage
from batch.tables.table import Snapshot, Table, append, remembered
from domain.lake.positions import POSITIONS_KEY

ORPHAN_AGE = timedelta(days=3)
"""Iceberg's own limit too: younger files may belong to a job that is still writing."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    now: datetime
    keep: timedelta
    """How long old snapshots can still be read."""
    dry_run: bool


def maintain(table: Table, upkeep: Upkeep, stage: Stage) -> None:
    """Raises AuditFailed when a key is there twice, Rival when another job changes the table meanwhile."""
    spark, history = table.spark, table.history()
    files = spark.table(f"{table.name}.files").count()
    stage("files", files)
    stage("snapshots", len(history))
    _require_unique(table)
    if upkeep.dry_run:
        return
    table.drop_leftovers()
    compacted = spark.sql(f"CALL {LAKE}.system.rewrite_data_files(table => '{table.name}')").first()
    assert compacted is not None
    stage("small files compacted", compacted.rewritten_data_files_count)
    spark.sql(f"CALL {LAKE}.system.rewrite_manifests(table => '{table.name}')")
    _say_again(table, history)
    expired = spark.sql(
        f"CALL {LAKE}.system.expire_snapshots(table => '{table.name}', older_than => {_at(upkeep.now - upkeep.keep)})"
    ).first()
    assert expired is not None
    stage("files of expired snapshots deleted", expired.deleted_data_files_count)
    if files:  # SeaweedFS answers 403 to the listing of a table that never had one
        before = _at(upkeep.now - ORPHAN_AGE)
        orphans = spark.sql(f"CALL {LAKE}.system.remove_orphan_files(table => '{table.name}', older_than => {before})")
        stage("orphan files deleted", orphans.count())


def _require_unique(table: Table) -> None:
    """Ingest looks a day around; this looks everywhere."""
    key = table.definition.key
    twice = table.rows().groupBy(*key).count().where("count > 1").agg(F.count("*"), F.min(F.struct(*key))).first()
    assert twice is not None
    if twice[0]:
        raise AuditFailed(
            f"{table.name}: {twice[0]} keys are there more than once, for instance {', '.join(map(str, twice[1]))}; "
            "`job tables --rebuild` makes the table anew"
        )


def _say_again(table: Table, before: Sequence[Snapshot]) -> None:
    said = {name: text for name in (POSITIONS_KEY, SOURCE) if (text := remembered(before, name)) is not None}
    newest = table.history()[0]
    if said.keys() - newest.summary.keys():
        table.stage(table.rows().limit(0), newest, append, said).publish()


def _at(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}+00:00'"
