"""Tables that are not made from raw objects: sessions from playback events, titles from the catalogue."""

import json
from collections.abc import Sequence
from hashlib import sha256

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.progress import Report
from batch.tables.audit import publish_if_sound
from batch.tables.events import on_days
from batch.tables.ingest import IngestContext
from batch.tables.sessions import merged, placed, sessions_of
from batch.tables.table import Snapshot, Table, replace_all, replace_partitions, snapshot_property
from batch.tables.table_schemas import EVENTS, SESSIONS, TITLES
from domain.titles.catalogue import CATALOGUE_KEY

SOURCE = "playhead.source"
"""In a snapshot's summary: the snapshot of the source table, or the SHA-256 of the catalogue, that it was made from."""
_KEEP_ROWS = ("append", "replace")
"""Operations that keep all earlier rows: an append, a compaction."""


def update_sessions(context: IngestContext, report: Report, *, rebuild: bool = False) -> None:
    """Merge the rows that the playback table gained since the last run. Raises AuditFailed, ConcurrentCommit.

    Reads the whole playback table with ``rebuild``, and after the playback table was rebuilt.
    """
    events, sessions = (Table(context.spark, context.namespace, each) for each in (EVENTS["playback"], SESSIONS))
    if context.dry_run or not events.exists:
        return
    sessions.ensure()
    source, history = events.history(), sessions.history()
    since = None if rebuild else _since(source, snapshot_property(history, SOURCE))
    if since == source[0].id:
        report("sessions changed", 0)
        return
    came = {SOURCE: str(source[0].id)}
    fresh_df = events.rows_at(source[0].id) if since is None else events.between(since, source[0].id)
    _count_unknown_titles(context, fresh_df, report)
    if since is None:
        staged = sessions.stage(sessions_of(fresh_df), history[0], replace_all, came)
        written = staged.rows()
    else:
        days = fresh_df.transform(placed).select(F.to_date("session_started_at").alias("day")).distinct().collect()
        touched = on_days("session_started_at", [row.day for row in days])
        merged_df = sessions_of(fresh_df).unionByName(sessions.rows().where(touched)).transform(merged)
        staged = sessions.stage(merged_df, history[0], replace_partitions, came)
        written = staged.rows().where(touched)
    report("sessions of the days touched", publish_if_sound(staged, written))


def _since(source: Sequence[Snapshot], known: str | None) -> int | None:
    """The snapshot after which appends are new; None if all rows must be read."""
    for snapshot in source:
        if str(snapshot.id) == known:
            return snapshot.id
        if snapshot.operation not in _KEEP_ROWS:
            return None
    return None


def _count_unknown_titles(context: IngestContext, events_df: DataFrame, report: Report) -> None:
    """Report titles that were played and are not in the catalogue. The events are valid, so this is no audit."""
    titles = Table(context.spark, context.namespace, TITLES)
    if titles.exists:
        played_df = events_df.select("title_id").distinct()
        report("titles that the catalogue lacks", played_df.join(titles.rows(), "title_id", "left_anti").count())


def update_titles(context: IngestContext, report: Report) -> None:
    """Replace all titles if the catalogue has changed. Raises AuditFailed, ConcurrentCommit."""
    try:
        body = context.store.get(CATALOGUE_KEY)
    except KeyError:
        report("titles in the catalogue", 0)
        return
    titles = [json.loads(line) for line in body.splitlines()]
    report("titles in the catalogue", len(titles))
    if context.dry_run:
        return
    table = Table(context.spark, context.namespace, TITLES)
    table.ensure()
    history, digest = table.history(), sha256(body).hexdigest()
    if snapshot_property(history, SOURCE) == digest:
        return
    rows = [tuple(title.get(name) for name in TITLES.types) for title in titles]
    titles_df = context.spark.createDataFrame(rows, ", ".join(f"{name} {kind}" for name, kind in TITLES.types.items()))
    staged = table.stage(titles_df, history[0], replace_all, {SOURCE: digest})
    report("titles replaced", publish_if_sound(staged, staged.rows()))
