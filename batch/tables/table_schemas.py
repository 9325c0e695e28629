"""The schema of every table, with a documented column each. The docs of event columns come from the contract."""

from dataclasses import dataclass
from typing import Any

from domain.history.kept import KEPT_FIELDS
from schemas import topics
from schemas.avro import schema
from schemas.topics import CHANGE_TOPICS, EVENT_TOPICS

_SPARK = {
    "string": "string",
    "boolean": "boolean",
    "int": "int",
    "long": "bigint",
    "double": "double",
    "enum": "string",
}


_NAMED_BY = {"playback": ("device_id", "playback_session_id", "seq")}
"""What names an event together with its id, since some clients give one id to two events; the device by default."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    """A type of Spark SQL."""
    doc: str
    required: bool
    """Never null, which the audit checks. In Iceberg every column is optional, so that the contract can grow."""


@dataclass(frozen=True, slots=True)
class TableSchema:
    name: str
    doc: str
    columns: tuple[Column, ...]
    partition: str | None
    """An Iceberg transform, for instance ``days(event_time)``.

    It cannot use the first column: Spark numbers the columns of a new table from 0, and SeaweedFS refuses to partition
    by column 0 ("Invalid request body").
    """
    key: tuple[str, ...]
    """Columns that together identify a row."""

    @property
    def types(self) -> dict[str, str]:
        return {column.name: column.type for column in self.columns}

    @property
    def time(self) -> str:
        """Of a table that is partitioned by days: the column whose days these are."""
        return (self.partition or "").removeprefix("days(").removesuffix(")")


def _spark_type(avro: Any) -> str:
    match avro:
        case ["null", branch]:
            return _spark_type(branch)
        case {"logicalType": "timestamp-millis"}:
            return "timestamp"
        case {"type": "map", "values": values}:
            return f"map<string,{_spark_type(values)}>"
        case {"type": "array", "items": items}:
            return f"array<{_spark_type(items)}>"
        case {"type": "record", "fields": fields}:
            members = (f"{field['name']}:{_spark_type(field['type'])}" for field in fields)
            return f"struct<{','.join(members)}>"
        case {"type": kind}:
            return _spark_type(kind)
    return _SPARK[avro]


def _columns(record: str) -> tuple[Column, ...]:
    return tuple(
        Column(field["name"], _spark_type(field["type"]), field["doc"], not isinstance(field["type"], list))
        for field in schema(record)["fields"]
    )


def events(family: str) -> TableSchema:
    """The table of a family's events. Its name is the topic's without the prefix."""
    record = EVENT_TOPICS[family].record
    doc = f"{schema(record)['doc']} Each event once: the first one in Kafka's log."
    return TableSchema(
        family, doc, _columns(record), "days(event_time)", ("event_id", *_NAMED_BY.get(family, ("device_id",)))
    )


_PLACE = Column(
    "session_started_at",
    "timestamp",
    "Start by the client's clock, moved by whole days if that clock is wrong; it places the session in lists.",
    True,
)


def _sessions() -> TableSchema:
    columns = {column.name: column for column in _columns("playback")} | {_PLACE.name: _PLACE}
    del columns["event_id"]
    added = (
        Column("newest_event_id", "string", "The event that this state comes from: the session's highest seq.", True),
        Column("first_event_id", "string", "The session's event with the lowest seq that arrived.", True),
        Column("first_seq", "int", "That event's seq: 0 unless the play request was lost.", True),
        Column("started_at", "timestamp", "When the session began, by the right clock, as that event has it.", True),
        Column("earliest_at", "timestamp", "The earliest corrected time of its events, whatever their seq.", True),
        Column("events", "bigint", "Distinct events that arrived; fewer than seq + 1 if the client lost some.", True),
    )
    return TableSchema(
        "playback_sessions",
        "One row per playback session: its newest state, whatever order its events arrived in.",
        (*columns.values(), *added),
        "days(session_started_at)",
        ("profile_id", "playback_session_id", "session_started_at"),
    )


SESSIONS = _sessions()
TITLES = TableSchema(
    "titles",
    "What members can watch, from the catalogue.",
    (
        Column("title_id", "string", "The title's id in events.", True),
        Column("name", "string", "The title's name as members see it.", True),
        Column("year", "int", "Year of release; null if unknown.", False),
        Column("runtime_ms", "bigint", "Length in milliseconds.", False),
        Column("genres", "array<string>", "Genres; empty if unknown.", False),
        Column("country", "string", "Country of origin, its English name; null if unknown.", False),
    ),
    None,
    ("title_id",),
)
ASSETS = TableSchema(
    "assets",
    "The newest record of each title's video: the one with the highest seq.",
    _columns(topics.ASSETS.record),
    None,
    (topics.ASSETS.key,),
)
RECORDS = TableSchema(
    "viewing_records",
    "The contract's viewing records, from the lake: the fields of a playback session's newest event in its history.",
    tuple(
        _PLACE if column.name == _PLACE.name else column
        for column in _columns("viewing_record")
        if column.name not in KEPT_FIELDS
    ),
    "days(session_started_at)",
    ("profile_id", "playback_session_id", "session_started_at"),
)
SNAPSHOTS = TableSchema(
    "viewing_history",
    "Every profile's whole viewing history in Cassandra, LiveVH and CompressedVH merged, one snapshot per day.",
    (
        *RECORDS.columns,
        Column("snapshot_on", "date", "The day (UTC) on which it was read; a later run on that day replaces it.", True),
    ),
    "snapshot_on",
    ("snapshot_on", "profile_id", "playback_session_id"),
)
EVENTS = {family: events(family) for family in EVENT_TOPICS}
CHANGES = {
    name: TableSchema(
        name,
        f"{schema(topic.record)['doc']} Each record once.",
        _columns(topic.record),
        "days(received_at)",
        ("event_id",),
    )
    for name, topic in CHANGE_TOPICS.items()
}
INGESTED = {**EVENTS, **CHANGES}
"""Those whose rows are a topic's records."""
NAMES = (*INGESTED, SESSIONS.name, RECORDS.name, TITLES.name, ASSETS.name)
"""The tables that the tables job makes."""
