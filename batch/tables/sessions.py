"""Playback events -> one row per session. Pure: DataFrame to DataFrame.

Events carry cumulative state, so the newest event has a session's outcome. A row also keeps its first event and the
number of events. Two rows of one session therefore merge into one, in any order and grouping: the table grows without
reading old events again.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.tables.table_schemas import SESSIONS
from schemas.events import DAY_MS

_FIRST = ("first_seq", "first_event_id", "started_at")
_SUMS = ("earliest_at", "events")
_STATE = tuple(name for name in SESSIONS.types if name not in (*SESSIONS.key, *_FIRST, *_SUMS))


def placed(events_df: DataFrame) -> DataFrame:
    """``session_started_at`` moved by whole days if the client's clock is wrong, as ``ViewingRecord.listed_at`` is.

    So a session lies in the partition of the day on which it was watched, and a clock that is set back during a session
    does not make two of it. Applied twice, it is the same.
    """
    start = F.unix_millis("session_started_at")
    days = F.floor((F.unix_millis("start_time") - start + DAY_MS // 2) / DAY_MS)
    moved = F.timestamp_millis(start + days * DAY_MS)
    return events_df.withColumn("session_started_at", F.coalesce(moved, "session_started_at"))


def sessions_of(events_df: DataFrame, within: Sequence[str] = ()) -> DataFrame:
    """The sessions of these events, without duplicates. ``within``: group by these columns, too."""
    alone = {
        "newest_event_id": F.col("event_id"),
        "first_event_id": F.col("event_id"),
        "first_seq": F.col("seq"),
        "started_at": F.coalesce("start_time", "event_time"),
        "earliest_at": F.col("event_time"),
        "events": F.lit(1).cast("bigint"),
    }
    return events_df.transform(placed).withColumns(alone).transform(merged, within)


def merged(sessions_df: DataFrame, within: Sequence[str] = ()) -> DataFrame:
    """One row per session, merged from rows that each cover a part of its events. No event is in two of them.

    The newest event has the highest sequence number, whatever the clocks say. ``started_at`` is the corrected start of
    the session as the lowest one that arrived has it; events of older software have none, so it is the event's own
    corrected time. Ids break ties, so row order does not matter.
    """
    newest = F.max_by(F.struct(*_STATE), F.struct("seq", "received_at", "newest_event_id"))
    first = F.min_by(F.struct(*_FIRST), F.struct("first_seq", "first_event_id"))
    return (
        sessions_df.groupBy(*within, *SESSIONS.key)
        .agg(
            newest.alias("newest"),
            first.alias("first"),
            F.min("earliest_at").alias("earliest_at"),
            F.sum("events").alias("events"),
        )
        .select(*within, *SESSIONS.key, "newest.*", "first.*", *_SUMS)
    )
