"""The recommend job: feature tables -> history and features -> lists -> store."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import polars as pl
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from batch.features.definitions import FEATURES
from batch.features.features_job import newest_as_of
from batch.progress import Report
from batch.recommend.features_from_tables import FeaturesFromTables, Tables, history, midnight, title_metadata
from batch.recommend.lists import Lists, ListSink, recommend
from batch.recommend.ranker import Ranker, training_times
from batch.recommend.taste import PopularityByTaste
from batch.tables.table import Table, require_table


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Feature tables at their last midnight, and at the midnights to learn from."""

    as_of: date
    tables: Tables

    @property
    def at(self) -> int:
        """Milliseconds since the epoch."""
        return int(datetime.combine(self.as_of, time(), UTC).timestamp() * 1000)


def read_training_data(spark: SparkSession, namespace: str, report: Report) -> TrainingData | None:
    """None if the feature tables are empty. Raises LakeError if they do not exist."""
    tables = [require_table(spark, namespace, each, "features") for each in FEATURES]
    if (as_of := newest_as_of(spark, namespace)) is None:
        return None
    now = TrainingData(as_of, _read(tables, [as_of]))
    _, moments = training_times(history(now.tables), now.at)
    earlier = _read(tables, list(map(midnight, moments)))
    report("midnights to learn from", earlier.pairs["as_of"].n_unique())
    return TrainingData(as_of, now.tables.and_(earlier))


def make_lists(data: TrainingData, now: int, report: Report) -> Lists | None:
    """Lists for every profile that pressed play before ``as_of``; None without any views.

    Their date is ``now`` or ``as_of``, whichever is earlier.
    """
    last = data.tables.at(data.as_of)
    views = history(last)
    report("profiles", len(last.profiles))
    report("views", len(views))
    if not len(views):
        return None
    everybody = dict(last.profiles.select("profile_id", "country").iter_rows())
    metadata = title_metadata(last)
    fallback = PopularityByTaste(metadata)
    ranker = Ranker(FeaturesFromTables(data.tables), fallback)
    made = recommend(views, data.at, ranker, fallback, everybody, metadata).dated(min(now, data.at))
    report(f"lists by {made.model}", len(made.profiles))
    return made


async def write(made: Lists, sink: ListSink, report: Report) -> None:
    """Writes countries first, so that every profile has a list. Raises TransientError; run again to finish."""
    await sink.write("country", made.countries)
    report("lists of countries written", len(made.countries))
    await sink.write("profile", made.profiles)
    report("lists of profiles written", len(made.profiles))


def _read(tables: Collection[Table], as_ofs: Collection[date]) -> Tables:
    return Tables(*(pl.DataFrame(table.rows().where(F.col("as_of").isin(*as_ofs)).toArrow()) for table in tables))
