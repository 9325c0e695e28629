"""Playback events -> one row a session. Pure: DataFrame to DataFrame.

Events carry cumulative state, so the newest event alone tells how a session went. A row also keeps which event was the
first and how many there were; so two rows of one session merge into one, in any order and any grouping, and the table
grows by what is new without reading what is old.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.tables.table_schemas import SESSIONS

_FIRST = ("first_seq", "first_event_id", "started_at")
_SUMS = ("earliest_at", "events")
_STATE = tuple(name for name in SESSIONS.types if name not in (*SESSIONS.key, *_FIRST, *_SUMS))


def sessions_of(events_df: DataFrame, within: Sequence[str] = ()) -> DataFrame:
    """The sessions of these events, each of them there once; ``within``: of each value of these columns its own."""
    alone = {
        "newest_event_id": F.col("event_id"),
        "first_event_id": F.col("event_id"),
        "first_seq": F.col("seq"),
        "started_at": F.col("event_time"),
        "earliest_at": F.col("event_time"),
        "events": F.lit(1).cast("bigint"),
    }
    return events_df.withColumns(alone).transform(merged, within)


def merged(sessions_df: DataFrame, within: Sequence[str] = ()) -> DataFrame:
    """One row a session of rows that each know a part of its events, no event in two of them.

    Newest is the highest sequence number, whatever the clocks say; ``started_at`` is the corrected time of the lowest,
    the play request (of the first one that arrived, if that was lost). Ties are broken by ids, so the result hangs on
    no row order.
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
