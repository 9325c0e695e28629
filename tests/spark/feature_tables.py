"""Feature tables of literal plays, as the job makes them, in polars."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
from pyspark.sql import DataFrame, SparkSession

from batch.features.definitions import FEATURES
from batch.features.features_job import Inputs, feature_rows
from batch.recommend.features_from_tables import Tables
from batch.tables.sessions import sessions_of
from batch.tables.table_schemas import EVENTS, TITLES
from tests.spark.frames import events, frame, made

MINUTE = 60_000


def play(profile: str, title: str, end: str, minutes: float, **changes: Any) -> dict[str, Any]:
    """A session's only event, its last one: what was watched of a film of 100 minutes, received at once."""
    session = changes.get("playback_session_id", f"{profile} {title} {end}")
    return {
        "event_id": f"{session} {changes.get('seq', 3)}",
        "profile_id": profile,
        "title_id": title,
        "playback_session_id": session,
        "event_time": end,
        "received_at": end,
        "watched_ms": round(minutes * MINUTE),
        "playhead_ms": round(minutes * MINUTE),
        **changes,
    }


def show(profile: str, title: str, time: str, action: str = "impression", **changes: Any) -> dict[str, Any]:
    return {
        "profile_id": profile,
        "title_id": title,
        "event_time": time,
        "received_at": time,
        "action": action,
        **changes,
    }


def film(title: str, year: int | None, *genres: str) -> tuple[Any, ...]:
    """A row of titles, of 100 minutes."""
    return title, title, year, 100 * MINUTE, list(genres), None


def inputs(
    spark: SparkSession,
    plays: Sequence[Mapping[str, Any]],
    shows: Sequence[Mapping[str, Any]],
    titles: Sequence[tuple[str, int | None, list[str]]],
) -> Inputs:
    """``titles``: id, year, genres; each of 100 minutes."""
    events_df = events(spark, *map(dict, plays))
    ui_types = {
        name: EVENTS["ui"].types[name] for name in ("profile_id", "title_id", "event_time", "received_at", "action")
    }
    titles_df = made(spark, TITLES.types, [film(title, year, *genres) for title, year, genres in titles])
    ui_df = frame(spark, ui_types, show("", "", "2000-01-01"), shows)
    return Inputs(sessions_of(events_df), events_df, ui_df, titles_df)


def tables(made_of: Inputs, as_ofs: Sequence[date]) -> Tables:
    found = feature_rows(made_of, as_ofs, DataFrame.persist)
    return Tables(*(pl.DataFrame(found[each.name].toArrow()) for each in FEATURES))
