"""The two data sets: MovieLens 100k, and viewing that the simulator plays without any engine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from batch.features.definitions import DEFAULT_RUNTIME_MS, MIN_VIEW_SHARE
from batch.recommend.interactions import DAY_MS, Interactions
from batch.recommend.titles import TitleMetadata
from infra.datasets import Datasets, films
from producers.simulator.audience import Member, build_audience
from producers.simulator.catalogue import join
from producers.simulator.movielens import parse_films, parse_ratings
from producers.simulator.visits import Span, visits_of
from schemas.events import Playback

SIMULATED_DAYS = 84
END = 1_790_000_000_000
"""The simulated weeks end here, so that every run plays the same ones."""
HOUSEHOLDS = 1_000
SEED = 1
SESSION_COLUMNS = {
    "profile_id": pl.String,
    "title_id": pl.String,
    "event_time": pl.Int64,  # of the session's last event, in milliseconds since the epoch
    "watched_ms": pl.Int64,
    "country": pl.String,
}


def movielens(ratings: Path) -> Interactions:
    """Each rating is a view, whatever its stars.

    From RecBole's ``.inter``: user, item, rating, timestamp in seconds, tab-separated with a header.
    """
    table = pl.read_csv(ratings, separator="\t", new_columns=["user", "item", "stars", "seconds"])
    return Interactions.of(
        table.select(
            profile="ml-" + pl.col("user").cast(pl.String),
            title="ml-" + pl.col("item").cast(pl.String),
            time=(pl.col("seconds") * 1000).cast(pl.Int64),
            weight=pl.lit(1.0),
            country=pl.lit(None, pl.String),
        )
    )


def title_metadata(films: Path) -> dict[str, TitleMetadata]:
    """By title id, from RecBole's ``.item``: item, name, year, genres separated by blanks."""
    table = pl.read_csv(
        films, separator="\t", new_columns=["item", "name", "year", "genres"], infer_schema=False, quote_char=None
    )
    return {
        f"ml-{item}": TitleMetadata(int(year) if year and year.isdigit() else None, tuple((genres or "").split()))
        for item, year, genres in table.select("item", "year", "genres").iter_rows()
    }


def simulated(datasets: Datasets) -> Interactions:
    """``SIMULATED_DAYS`` of evenings of all members, as the simulator plays past evenings."""
    titles = join(parse_films(datasets.films.read_text("utf-8")), films(datasets.movies))
    members = build_audience(parse_ratings(datasets.ratings.read_text("utf-8")), titles, HOUSEHOLDS, SEED)
    sessions = pl.DataFrame(_sessions(members), SESSION_COLUMNS, orient="row")
    return interactions(sessions, {title.title_id: title.runtime_ms for title in titles})


def interactions(sessions: pl.DataFrame, runtimes: Mapping[str, int]) -> Interactions:
    """From sessions with ``SESSION_COLUMNS``, defined as in ``batch.features.pair``. ``runtimes``: known lengths in ms.

    Every session is a sitting, with the share watched by then (1 at most) and the newest country. Pairs that never
    reach ``MIN_VIEW_SHARE`` are dropped.
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


def _sessions(members: Sequence[Member]) -> list[tuple[str, str, int, int, str]]:
    """Rows of ``SESSION_COLUMNS``, from each session's last event, which has its cumulative state."""
    span = Span(END - SIMULATED_DAYS * DAY_MS, END, heartbeat_ms=DAY_MS)  # heartbeats would be dropped anyway
    last = {
        event.playback_session_id: event
        for member in members
        for visit in visits_of(member, span, SEED)
        for event in visit.events
        if isinstance(event, Playback)
    }
    return [
        (event.profile_id or "", event.title_id, event.event_time, event.watched_ms, event.country)
        for event in last.values()
    ]
