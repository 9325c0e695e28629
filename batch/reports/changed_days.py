"""Which published days have changed since their page was made: late events, such as of phones that were offline.

From Iceberg's metadata: an append's files name its days. Only snapshots that have not expired are known; a page that
was made from an older one is taken for as old.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from pyspark.sql import functions as F

from batch.tables.table import Table

ONE = timedelta(days=1)


def changed_days(events: Table, published: Mapping[date, int | None]) -> list[date]:
    """The published days that gained playback events, in order.

    ``published``: day -> the snapshot of the table that its page was made from, if it says so. A view counts on the day
    on which it began, so an event changes the day before its own, too.
    """
    newer, gained = {}, _gained(events)
    later: set[date] = set()
    for snapshot in events.history():  # newest first
        newer[snapshot.id] = frozenset(later)
        later |= {day - n * ONE for day in gained.get(snapshot.id, ()) for n in (0, 1)}
    return sorted(day for day, made_from in published.items() if day in newer.get(made_from or 0, later))


def _gained(events: Table) -> dict[int, set[date]]:
    """Snapshot that appended rows -> their days."""
    appends = [snapshot.id for snapshot in events.history() if snapshot.operation == "append"]
    added_df = (
        events.spark.table(f"{events.name}.all_entries")
        .where((F.col("status") == 1) & F.col("snapshot_id").isin(appends))
        .select("snapshot_id", F.col("data_file.partition.event_time_day").alias("day"))
        .distinct()
    )
    found: dict[int, set[date]] = {}
    for row in added_df.collect():
        found.setdefault(row.snapshot_id, set()).add(row.day)
    return found
