"""Playback sessions -> interactions, where there are no tables: what a profile watched of a title, all its sessions
together. Defined as ``batch.features.pair`` defines it."""

from collections.abc import Mapping

import polars as pl

from batch.features.definitions import LEAST_SHARE, USUAL_RUNTIME_MS
from batch.recommend.interactions import Interactions

SESSION_COLUMNS = {
    "profile_id": pl.String,
    "title_id": pl.String,
    "event_time": pl.Int64,  # of the session's last event, in milliseconds since the epoch
    "watched_ms": pl.Int64,
    "country": pl.String,
}


def interactions(sessions: pl.DataFrame, runtimes: Mapping[str, int]) -> Interactions:
    """From sessions with ``SESSION_COLUMNS``; ``runtimes`` by title id in milliseconds, where known.

    A view dates from the first of its sessions, weighs the share that was watched (1 at most), and belongs to the
    country of its newest session. What a profile has barely looked at is left out.
    """
    runtime = pl.col("title_id").replace_strict(runtimes, default=USUAL_RUNTIME_MS, return_dtype=pl.Int64)
    views = (
        sessions.sort("event_time", "country")
        .group_by("profile_id", "title_id")
        .agg(pl.col("event_time").min(), pl.col("watched_ms").sum(), pl.col("country").drop_nulls().last())
        .with_columns(weight=(pl.col("watched_ms") / runtime).clip(0, 1))
        .filter(pl.col("weight") >= LEAST_SHARE)
    )
    return Interactions.of(views.rename({"profile_id": "profile", "title_id": "title", "event_time": "time"}))
