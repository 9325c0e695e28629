"""Tiny literal DataFrames: a test names only what it is about."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from batch.reports.aggregates import UI_COLUMNS
from batch.reports.views import SESSION_COLUMNS
from batch.tables.table_schemas import EVENTS
from tests.support.builders import EVENTS as BUILDERS

_ARROW = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "timestamp": pa.timestamp("us", "UTC"),
    "array<string>": pa.list_(pa.string()),
}


def at(text: str) -> datetime:
    """A UTC moment: ``at("2023-11-14 21:05")``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def millis(text: str) -> int:
    return int(at(text).timestamp() * 1000)


def events(spark: SparkSession, *changes: dict[str, Any]) -> DataFrame:
    """Playback events as their table holds them; times may be given as texts."""
    return received(spark, "playback", *changes)


def received(spark: SparkSession, family: str, *changes: dict[str, Any]) -> DataFrame:
    """A family's events as their table holds them; times may be given as texts."""
    types = EVENTS[family].types
    rows = []
    for change in changes:
        fields = msgspec.to_builtins(BUILDERS[family]()) | change
        for name in [name for name, kind in types.items() if kind == "timestamp"]:
            time = fields[name]
            if time is not None:
                fields[name] = at(time) if isinstance(time, str) else datetime.fromtimestamp(time / 1000, UTC)
        rows.append([fields[name] for name in types])
    return made(spark, types, rows)


def sessions(spark: SparkSession, *changes: dict[str, Any]) -> DataFrame:
    """Playback sessions as the dashboards take them: a minute of a film of 100, stopped, without trouble."""
    fields: dict[str, Any] = {
        "profile_id": "ml-1",
        "started_at": "2023-11-14 21:05",
        "received_at": "2023-11-14 22:00",
        "title_id": "ml-50",
        "event_type": "stopped",
        "seq": 2,
        "events": 3,
        "playhead_ms": 60_000,
        "duration_ms": 6_000_000,
        "watched_ms": 60_000,
        "startup_time_ms": 1_000,
        "rebuffer_count": 0,
        "rebuffer_ms": 0,
        "error_fatal": False,
        "device_type": "tv",
        "app_version": "1.0.0",
        "country": "NL",
    }
    return frame(spark, SESSION_COLUMNS, fields, changes)


def ui(spark: SparkSession, *changes: dict[str, Any]) -> DataFrame:
    """What the dashboards take of UI events: an impression of a title."""
    fields = {"event_time": "2023-11-14 21:00", "profile_id": "ml-1", "title_id": "ml-50", "action": "impression"}
    return frame(spark, UI_COLUMNS, fields, changes)


def frame(
    spark: SparkSession, types: Mapping[str, str], fields: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]
) -> DataFrame:
    """A row for each of the changes to the fields; times are given as texts."""
    values = [
        [at(value) if types[name] == "timestamp" else value for name, value in {**fields, **change}.items()]
        for change in changes
    ]
    return made(spark, {name: types[name] for name in fields}, values)


def made(spark: SparkSession, types: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> DataFrame:
    """Through Arrow, which needs no Python worker processes."""
    columns = {
        name: pa.array([row[place] for row in rows], _ARROW[kind]) for place, (name, kind) in enumerate(types.items())
    }
    return spark.createDataFrame(pa.table(columns))


def rows(any_df: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Columns as sorted tuples; times as texts."""
    texts = [
        f"date_format({name}, 'yyyy-MM-dd HH:mm:ss')" if kind == "timestamp" else name for name, kind in any_df.dtypes
    ]
    chosen = dict(zip(any_df.columns, texts, strict=True))
    return sorted((tuple(row) for row in any_df.selectExpr(*(chosen[name] for name in columns)).collect()), key=repr)
