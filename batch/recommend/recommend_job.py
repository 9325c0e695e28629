"""The recommend job, step by step: feature tables -> history and features -> lists -> store. Clients are for main."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import polars as pl
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from batch.features.definitions import FEATURES
from batch.features.features_job import newest_as_of
from batch.progress import Report
from batch.recommend.features_from_tables import Published, Tables, facts, history, midnight
from batch.recommend.lists import Lists, recommend
from batch.recommend.ports import ListSink
from batch.recommend.ranker import Ranker, looks
from batch.tables.table import Table, require_table


@dataclass(frozen=True, slots=True)
class Gathered:
    """What lists are made of: feature tables at the last midnight that they know of, and at those to learn from."""

    as_of: date
    tables: Tables

    @property
    def at(self) -> int:
        """Milliseconds since the epoch."""
        return int(datetime.combine(self.as_of, time(), UTC).timestamp() * 1000)


def gather(spark: SparkSession, namespace: str, report: Report) -> Gathered | None:
    """None while the feature tables are empty. LakeError while there are none."""
    tables = [require_table(spark, namespace, each, "features") for each in FEATURES]
    if (as_of := newest_as_of(spark, namespace)) is None:
        return None
    now = Gathered(as_of, _read(tables, [as_of]))
    _, moments = looks(history(now.tables), now.at)
    earlier = _read(tables, list(map(midnight, moments)))
    report("midnights to learn from", earlier.pairs["as_of"].n_unique())
    return Gathered(as_of, now.tables.and_(earlier))


def make(gathered: Gathered, now: int, report: Report) -> Lists | None:
    """Lists for every profile that pressed play before ``as_of``; None if nobody has watched anything yet.

    They are dated ``now`` or, if that was earlier, ``as_of``: when what they are made of ends.
    """
    last = gathered.tables.at(gathered.as_of)
    views = history(last)
    report("profiles", len(last.profiles))
    report("views", len(views))
    if not len(views):
        return None
    everybody = dict(last.profiles.select("profile_id", "country").iter_rows())
    model = "ranker", Ranker(Published(gathered.tables))
    made = recommend(views, gathered.at, model, everybody, facts(last)).dated(min(now, gathered.at))
    report(f"lists by {made.model}", len(made.profiles))
    return made


async def write(made: Lists, sink: ListSink, report: Report) -> None:
    """Countries first, so that nobody is ever without. Raises TransientError; a repeat finishes the work."""
    await sink.write("country", made.countries)
    report("lists of countries written", len(made.countries))
    await sink.write("profile", made.profiles)
    report("lists of profiles written", len(made.profiles))


def _read(tables: Collection[Table], as_ofs: Collection[date]) -> Tables:
    return Tables(*(pl.DataFrame(table.rows().where(F.col("as_of").isin(*as_ofs)).toArrow()) for table in tables))
