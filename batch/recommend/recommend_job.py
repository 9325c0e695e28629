"""The recommend job, step by step: sessions and titles -> interactions -> lists -> store. Clients are for main."""

from collections.abc import Callable

import polars as pl
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.definitions import SESSIONS, TITLES
from batch.lake import LakeError
from batch.recommend.lists import Lists, recommend
from batch.recommend.ports import ListSink
from batch.recommend.ranker import Ranker
from batch.recommend.titles import Catalogue, Facts
from batch.recommend.views import SESSION_COLUMNS, interactions
from batch.table import Table

Stage = Callable[[str, int], None]


def playback_sessions(spark: SparkSession, namespace: str) -> DataFrame:
    """One row per playback session, with ``SESSION_COLUMNS``. LakeError while there is no such table."""
    table = Table(spark, namespace, SESSIONS)
    if not table.exists:
        raise LakeError(f"there is no table {table.name}: `playhead job tables` makes it")
    return table.rows().withColumn("started_at", F.unix_millis("started_at")).select(*SESSION_COLUMNS)


def catalogue(spark: SparkSession, namespace: str) -> Catalogue:
    """What the table of titles says; nothing while there is none."""
    table = Table(spark, namespace, TITLES)
    if not table.exists:
        return Catalogue({}, {})
    titles = table.rows().select("title_id", "year", "runtime_ms", "genres").collect()
    return Catalogue(
        facts={title.title_id: Facts(title.year, tuple(title.genres or ())) for title in titles},
        runtimes={title.title_id: title.runtime_ms for title in titles if title.runtime_ms},
    )


def read(sessions_df: DataFrame, stage: Stage) -> pl.DataFrame:
    """Sessions out of Spark."""
    sessions = pl.DataFrame(sessions_df.toArrow(), schema=SESSION_COLUMNS)
    stage("sessions", len(sessions))
    return sessions


def make(sessions: pl.DataFrame, catalogue: Catalogue, now: int, stage: Stage) -> Lists | None:
    """Lists for everybody with a session before ``now``; None if nobody has watched anything yet."""
    sessions = sessions.filter(pl.col("started_at") < now)
    history = interactions(sessions, catalogue.runtimes)
    stage("views", len(history))
    if not len(history):
        return None
    newest = sessions.sort("started_at", "country").group_by("profile_id").agg(pl.col("country").drop_nulls().last())
    made = recommend(history, now, ("ranker", Ranker(catalogue.facts)), dict(newest.iter_rows()), catalogue.facts)
    stage(f"lists by {made.model}", len(made.profiles))
    return made


async def write(made: Lists, sink: ListSink, stage: Stage) -> None:
    """Countries first, so that nobody is ever without. Raises TransientError; a repeat finishes the work."""
    await sink.write("country", made.countries)
    stage("lists of countries written", len(made.countries))
    await sink.write("profile", made.profiles)
    stage("lists of profiles written", len(made.profiles))
