"""Playback sessions -> interactions, where there are no tables: what a profile watched of a title, all its sessions
together. Defined as ``batch.features.pair`` defines it."""

from collections.abc import Mapping

import polars as pl

from batch.features.definitions import DEFAULT_RUNTIME_MS, MIN_VIEW_SHARE
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

    Every session is a sitting: the share that was watched by then, 1 at most, and the newest country.
    What a profile has barely looked at in all of them is left out.
    """
    pair = ("profile_id", "title_id")
    runtime = pl.col("title_id").replace_strict(runtimes, default=DEFAULT_RUNTIME_MS, return_dtype=pl.Int64)
    sittings = (
        sessions.sort("event_time", "country")
        .with_columns(pl.col("watched_ms").cum_sum().over(pair), pl.col("country").forward_fill().over(pair))
        .with_columns(weight=(pl.col("watched_ms") / runtime).clip(0, 1))
        .filter(pl.col("weight").max().over(pair) >= MIN_VIEW_SHARE)
    )
    return Interactions.of(sittings.rename({"profile_id": "profile", "title_id": "title", "event_time": "time"}))
