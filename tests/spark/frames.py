"""Tiny literal DataFrames and lake folders: a test names only what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from pyspark.sql import DataFrame, SparkSession

from batch.viewing import PLAYBACK_COLUMNS
from schemas.avro import Schema, schema
from schemas.codec import encode
from schemas.events import Playback
from streams.lake import container
from tests.builders import playback

NEWEST = schema("playback")


def at(text: str) -> datetime:
    """A UTC moment: ``at("2023-11-14 21:05")``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def millis(text: str) -> int:
    return int(at(text).timestamp() * 1000)


def events(spark: SparkSession, *changes: dict[str, Any]) -> DataFrame:
    """Playback events as the job reads them; times may be given as texts."""
    rows = []
    for change in changes:
        times = {name: at(change[name]) for name in ("event_time", "received_at") if name in change}
        fields = msgspec.to_builtins(playback())
        fields |= {name: datetime.fromtimestamp(fields[name] / 1000, UTC) for name in ("event_time", "received_at")}
        rows.append(fields | change | times)
    columns = ", ".join(f"{name} {kind}" for name, kind in PLAYBACK_COLUMNS.items())
    return spark.createDataFrame([tuple(row[name] for name in PLAYBACK_COLUMNS) for row in rows], columns)


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
    kinds = {"events": "int", "watched_ms": "bigint", "startup_time_ms": "bigint", "rebuffer_ms": "bigint"}
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


def put_object(lake: Path, key: str, records: Sequence[Playback], written_by: Schema = NEWEST) -> Path:
    """An object as the lake sink makes it."""
    return put_datums(lake, key, [encode(record) for record in records], written_by)


def put_datums(lake: Path, key: str, datums: Sequence[bytes], written_by: Schema) -> Path:
    file = lake / "raw" / "playhead.playback" / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(container.write(key, written_by, datums, {}))
    return file
