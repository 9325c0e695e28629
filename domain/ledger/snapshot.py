"""What each place holds, counted where it lives: the frames that the ledger's equations compare.

Every frame is polars; ``offset`` is a Kafka offset, ids are text.
"""

from dataclasses import dataclass

import polars as pl

RECORDS = {"topic": pl.String, "partition": pl.Int32, "offset": pl.Int64, "event_id": pl.String}
KAFKA = {
    **RECORDS,
    "valid": pl.Boolean,
    "playback_session_id": pl.String,
    "seq": pl.Int64,
    "device_id": pl.String,
}
PARTITIONS = {"topic": pl.String, "partition": pl.Int32, "log_start": pl.Int64, "log_end": pl.Int64}
OBJECTS = {
    "topic": pl.String,
    "partition": pl.Int32,
    "key": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "records": pl.Int64,
    "dead_letters": pl.Int64,
    "kind": pl.String,
}
POSITIONS = {"topic": pl.String, "partition": pl.Int32, "offset": pl.Int64}
SESSIONS = {"playback_session_id": pl.String, "seq": pl.Int64}
CLIENT = {"event_id": pl.String, "outcome": pl.String}

TABLE_EVENTS = {"topic": pl.String, "event_id": pl.String}
TAKEN = {"topic": pl.String, "partition": pl.Int32, "taken": pl.Int64}


@dataclass(frozen=True, slots=True)
class TableSide:
    """What the Iceberg tables hold. They are filled now and then, so they say themselves how far they have come."""

    events: pl.DataFrame
    """TABLE_EVENTS: one row a row of a table."""
    taken: pl.DataFrame
    """TAKEN: the next position to take, of each partition of which a table has taken anything."""


@dataclass(frozen=True, slots=True)
class Sides:
    partitions: pl.DataFrame
    """PARTITIONS: Kafka's first and next offset of every partition of every topic."""
    kafka: pl.DataFrame
    """KAFKA: one row a record; ``valid`` by the contract, session and seq for playback, device for events."""
    objects: pl.DataFrame
    """OBJECTS: the lake's chains as the store lists them, with what their metadata say."""
    lake: pl.DataFrame
    """RECORDS: one row a record read back from the objects' bytes; null event_id where a record has none."""
    damaged: tuple[str, ...]
    """Why objects could not be read back."""
    dead_letters: pl.DataFrame
    """POSITIONS: distinct places in Kafka that a dead letter names."""
    history: pl.DataFrame
    """SESSIONS: newest seq of every session, read back from Cassandra."""
    client: pl.DataFrame | None
    """CLIENT: the clients' own logs, one row an event; None when no client keeps one here."""
    tables: TableSide | None
    """None when there are no tables."""
