"""Tiny literal DataFrames: a test names only what it is about."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from pyspark.sql import DataFrame, SparkSession

from batch.definitions import EVENTS
from tests.builders import playback


def at(text: str) -> datetime:
    """A UTC moment: ``at("2023-11-14 21:05")``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def millis(text: str) -> int:
    return int(at(text).timestamp() * 1000)


def events(spark: SparkSession, *changes: dict[str, Any]) -> DataFrame:
    """Playback events as their table holds them; times may be given as texts."""
    types = EVENTS["playback"].types
    rows = []
    for change in changes:
        fields = msgspec.to_builtins(playback()) | change
        for name in [name for name, kind in types.items() if kind == "timestamp"]:
            time = fields[name]
            fields[name] = at(time) if isinstance(time, str) else datetime.fromtimestamp(time / 1000, UTC)
        rows.append(tuple(fields[name] for name in types))
    return spark.createDataFrame(rows, ", ".join(f"{name} {kind}" for name, kind in types.items()))


def sessions(spark: SparkSession, *changes: dict[str, Any]) -> DataFrame:
    """Playback sessions with the columns that the figures are made of: watched a minute, without trouble."""
    fields: dict[str, Any] = {
        "profile_id": "ml-1",
        "started_at": "2023-11-14 21:05",
        "event_type": "stopped",
        "received_at": "2023-11-14 22:00",
        "events": 3,
        "title_id": "ml-50",
        "country": "NL",
        "device_type": "tv",
        "app_version": "1.0.0",
        "watched_ms": 60_000,
        "startup_time_ms": 1_000,
        "rebuffer_ms": 0,
        "error_fatal": False,
        "hour": "2023-11-14 21:00",
        "started": True,
        "failed": False,
        "exited": False,
    }
    kinds = {"events": "bigint", "watched_ms": "bigint", "startup_time_ms": "bigint", "rebuffer_ms": "bigint"}
    kinds |= dict.fromkeys(("started_at", "received_at", "hour"), "timestamp")
    kinds |= dict.fromkeys(("error_fatal", "started", "failed", "exited"), "boolean")
    columns = ", ".join(f"{name} {kinds.get(name, 'string')}" for name in fields)
    rows = [
        tuple(at(value) if kinds.get(name) == "timestamp" else value for name, value in (fields | change).items())
        for change in changes
    ]
    return spark.createDataFrame(rows, columns)


def rows(any_df: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Columns as sorted tuples; times as texts."""
    texts = [
        f"date_format({name}, 'yyyy-MM-dd HH:mm:ss')" if kind == "timestamp" else name for name, kind in any_df.dtypes
    ]
    chosen = dict(zip(any_df.columns, texts, strict=True))
    return sorted((tuple(row) for row in any_df.selectExpr(*(chosen[name] for name in columns)).collect()), key=repr)
