"""The tables: what each is, and every column with its meaning, which for events the contract itself documents."""

from dataclasses import dataclass
from typing import Any

from schemas.avro import schema
from schemas.topics import EVENT_TOPICS

_SPARK = {
    "string": "string",
    "boolean": "boolean",
    "int": "int",
    "long": "bigint",
    "double": "double",
    "enum": "string",
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    """As Spark's SQL says it."""
    meaning: str
    required: bool
    """Never null: the audit holds it. In Iceberg every column is optional, so that the contract may grow."""


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    meaning: str
    columns: tuple[Column, ...]
    partition: str | None
    """Iceberg's transform, for instance ``days(event_time)``.

    Not of the first column: Spark numbers the columns of a new table from 0, and SeaweedFS refuses to partition by
    column 0 ("Invalid request body").
    """
    key: tuple[str, ...]
    """No two rows agree in all of these."""

    @property
    def types(self) -> dict[str, str]:
        return {column.name: column.type for column in self.columns}


def _spark_type(avro: Any) -> str:
    match avro:
        case ["null", branch]:
            return _spark_type(branch)
        case {"logicalType": "timestamp-millis"}:
            return "timestamp"
        case {"type": "map", "values": values}:
            return f"map<string,{_spark_type(values)}>"
        case {"type": kind}:
            return _spark_type(kind)
    return _SPARK[avro]


def _columns(record: str) -> tuple[Column, ...]:
    return tuple(
        Column(field["name"], _spark_type(field["type"]), field["doc"], not isinstance(field["type"], list))
        for field in schema(record)["fields"]
    )


def events(family: str) -> Definition:
    """A family's events, named as their topic without its prefix."""
    record = EVENT_TOPICS[family].record
    meaning = f"{schema(record)['doc']} Each event id once: of repeats the first in Kafka's log."
    return Definition(family, meaning, _columns(record), "days(event_time)", ("event_id",))


def _sessions() -> Definition:
    columns = {column.name: column for column in _columns("playback")}
    del columns["event_id"]
    own = (
        Column("newest_event_id", "string", "The event that this state comes from: the session's highest seq.", True),
        Column("first_event_id", "string", "The session's event with the lowest seq that arrived.", True),
        Column("first_seq", "int", "That event's seq: 0 unless the play request was lost.", True),
        Column("started_at", "timestamp", "That event's corrected time: when the session began.", True),
        Column("earliest_at", "timestamp", "The earliest corrected time of its events, whatever their seq.", True),
        Column("events", "bigint", "Distinct events that arrived; fewer than seq + 1 if the client lost some.", True),
    )
    return Definition(
        "playback_sessions",
        "One row per playback session: its newest state, whatever order its events arrived in.",
        (*columns.values(), *own),
        "days(session_started_at)",
        ("profile_id", "playback_session_id", "session_started_at"),
    )


SESSIONS = _sessions()
TITLES = Definition(
    "titles",
    "What members can watch, from the catalogue.",
    (
        Column("title_id", "string", "The id that events name.", True),
        Column("name", "string", "The title as members read it.", True),
        Column("year", "int", "Year of release; null if unknown.", False),
        Column("runtime_ms", "bigint", "Length in milliseconds.", False),
        Column("genres", "array<string>", "Genres; empty if unknown.", False),
        Column("country", "string", "Country of origin, its English name; null if unknown.", False),
    ),
    None,
    ("title_id",),
)
RECORDS = Definition(
    "viewing_records",
    "The contract's viewing records: of each playback session what the viewing history keeps, derived from the lake.",
    _columns("viewing_record"),
    "days(session_started_at)",
    ("profile_id", "playback_session_id", "session_started_at"),
)
SNAPSHOTS = Definition(
    "viewing_history",
    "Every profile's whole viewing history as Cassandra held it, LiveVH and CompressedVH merged, one snapshot a day.",
    (
        *_columns("viewing_record"),
        Column("snapshot_on", "date", "The day (UTC) on which it was read; a later run of the day replaces it.", True),
    ),
    "snapshot_on",
    ("snapshot_on", "profile_id", "playback_session_id"),
)
EVENTS = {family: events(family) for family in EVENT_TOPICS}
NAMES = (*EVENTS, SESSIONS.name, RECORDS.name, TITLES.name)
"""What the tables job makes."""
