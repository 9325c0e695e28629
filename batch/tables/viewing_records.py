"""Playback sessions -> the table of viewing records, with the fields of the contract's viewing record."""

from collections.abc import Sequence
from datetime import date
from itertools import takewhile

from pyspark.sql import functions as F

from batch.progress import Report
from batch.tables.audit import publish_if_sound
from batch.tables.derived_tables import SOURCE
from batch.tables.events import on_days
from batch.tables.ingest import IngestContext
from batch.tables.table import Snapshot, Table, replace_all, replace_partitions, snapshot_property
from batch.tables.table_schemas import RECORDS, SESSIONS


def update_records(context: IngestContext, report: Report, *, rebuild: bool = False) -> None:
    """Replace the days on which playback sessions changed since the last run. Raises AuditFailed, ConcurrentCommit."""
    sessions, records = (Table(context.spark, context.namespace, each) for each in (SESSIONS, RECORDS))
    if context.dry_run or not sessions.exists:
        return
    records.ensure()
    source, history = sessions.history(), records.history()
    fresh = None if rebuild else _since(source, snapshot_property(history, SOURCE))
    if fresh == []:
        report("viewing records changed", 0)
        return
    came = {SOURCE: str(source[0].id)}
    if fresh is None:
        staged = records.stage(sessions.rows(), history[0], replace_all, came)
        written = staged.rows()
    else:
        touched = on_days("session_started_at", _days_touched(sessions, fresh))
        staged = records.stage(sessions.rows().where(touched), history[0], replace_partitions, came)
        written = staged.rows().where(touched)
    report("viewing records of the days touched", publish_if_sound(staged, written))


def _since(source: Sequence[Snapshot], known: str | None) -> list[Snapshot] | None:
    """Snapshots after the known one; None if that has expired, or all rows were replaced since."""
    fresh = list(takewhile(lambda snapshot: str(snapshot.id) != known, source))
    partly = all("replace-partitions" in each.summary or each.operation in ("append", "replace") for each in fresh)
    return fresh if partly and len(fresh) < len(source) else None


def _days_touched(sessions: Table, fresh: Sequence[Snapshot]) -> list[date]:
    partitions_df = sessions.spark.table(f"{sessions.name}.partitions")
    changed = F.col("last_updated_snapshot_id").isin([snapshot.id for snapshot in fresh])
    return [row[0] for row in partitions_df.where(changed).select("partition.session_started_at_day").collect()]
