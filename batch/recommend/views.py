"""Playback sessions -> interactions: what a profile watched of a title, all its sessions together."""

from collections.abc import Mapping

import polars as pl

from batch.recommend.interactions import Interactions

USUAL_RUNTIME_MS = 90 * 60_000
"""Of a title whose length nobody knows."""
LEAST_SHARE = 0.1
"""Less of a title was a look, not a view."""
SESSION_COLUMNS = {
    "profile_id": pl.String,
    "title_id": pl.String,
    "started_at": pl.Int64,  # milliseconds since the epoch
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
        sessions.sort("started_at", "country")
        .group_by("profile_id", "title_id")
        .agg(pl.col("started_at").min(), pl.col("watched_ms").sum(), pl.col("country").drop_nulls().last())
        .with_columns(weight=(pl.col("watched_ms") / runtime).clip(0, 1))
        .filter(pl.col("weight") >= LEAST_SHARE)
    )
    return Interactions.of(views.rename({"profile_id": "profile", "title_id": "title", "started_at": "time"}))
