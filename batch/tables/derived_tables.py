"""Tables that are made of something else than raw objects: sessions of playback events, titles of the catalogue."""

import json
from collections.abc import Sequence
from hashlib import sha256

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.tables.audit import publish_if_sound
from batch.tables.events import on_days
from batch.tables.ingest import Stage, Where
from batch.tables.sessions import merged, sessions_of
from batch.tables.table import Snapshot, Table, remembered, replace_all, replace_partitions
from batch.tables.table_schemas import EVENTS, SESSIONS, TITLES
from domain.titles.catalogue import CATALOGUE_KEY

SOURCE = "playhead.source"
"""In a snapshot's summary: the snapshot of playback events, or the SHA-256 of the catalogue, that it was made of."""
_KEEP_ROWS = ("append", "replace")
"""Operations after which the rows of before are still there: new events, compacted files."""


def update_sessions(where: Where, stage: Stage, *, rebuild: bool = False) -> None:
    """Merge what the playback table has gained since the last time. Raises AuditFailed, Rival.

    ``rebuild``, or a playback table that was made anew: all of it is read again.
    """
    events, sessions = (Table(where.spark, where.namespace, each) for each in (EVENTS["playback"], SESSIONS))
    if where.dry_run or not events.exists:
        return
    sessions.ensure()
    source, history = events.history(), sessions.history()
    since = None if rebuild else _since(source, remembered(history, SOURCE))
    if since == source[0].id:
        stage("sessions changed", 0)
        return
    came = {SOURCE: str(source[0].id)}
    fresh_df = events.rows_at(source[0].id) if since is None else events.between(since, source[0].id)
    _count_unknown_titles(where, fresh_df, stage)
    if since is None:
        staged = sessions.stage(sessions_of(fresh_df), history[0], replace_all, came)
        written = staged.rows()
    else:
        days = fresh_df.select(F.to_date("session_started_at").alias("day")).distinct().collect()
        touched = on_days("session_started_at", [row.day for row in days])
        merged_df = sessions_of(fresh_df).unionByName(sessions.rows().where(touched)).transform(merged)
        staged = sessions.stage(merged_df, history[0], replace_partitions, came)
        written = staged.rows().where(touched)
    stage("sessions of the days touched", publish_if_sound(staged, written))


def _since(source: Sequence[Snapshot], known: str | None) -> int | None:
    """The snapshot whose appends to go on from; None if all must be read."""
    for snapshot in source:
        if str(snapshot.id) == known:
            return snapshot.id
        if snapshot.operation not in _KEEP_ROWS:
            return None
    return None


def _count_unknown_titles(where: Where, events_df: DataFrame, stage: Stage) -> None:
    """Played, but not in the catalogue: no fault of the events, so counted, not refused."""
    titles = Table(where.spark, where.namespace, TITLES)
    if titles.exists:
        played_df = events_df.select("title_id").distinct()
        stage("titles that the catalogue lacks", played_df.join(titles.rows(), "title_id", "left_anti").count())


def update_titles(where: Where, stage: Stage) -> None:
    """Replace the titles when the catalogue has changed. Raises AuditFailed, Rival."""
    try:
        body = where.store.get(CATALOGUE_KEY)
    except KeyError:
        stage("titles in the catalogue", 0)
        return
    titles = [json.loads(line) for line in body.splitlines()]
    stage("titles in the catalogue", len(titles))
    if where.dry_run:
        return
    table = Table(where.spark, where.namespace, TITLES)
    table.ensure()
    history, digest = table.history(), sha256(body).hexdigest()
    if remembered(history, SOURCE) == digest:
        return
    rows = [tuple(title.get(name) for name in TITLES.types) for title in titles]
    titles_df = where.spark.createDataFrame(rows, ", ".join(f"{name} {kind}" for name, kind in TITLES.types.items()))
    staged = table.stage(titles_df, history[0], replace_all, {SOURCE: digest})
    stage("titles replaced", publish_if_sound(staged, staged.rows()))
