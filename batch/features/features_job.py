"""The features job: tables -> what was known at some midnights -> feature tables, audited and published."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from types import TracebackType
from typing import Self

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.features.definitions import FEATURES, PAIR_FEATURES, PROFILE_FEATURES, TITLE_FEATURES
from batch.features.pair import pair_features, watched
from batch.features.point_in_time import known_at, sessions_as_of
from batch.features.profile import profile_features
from batch.features.title import title_features
from batch.progress import Report
from batch.tables.audit import publish_if_sound, require_sound
from batch.tables.derived_tables import SOURCE
from batch.tables.table import Table, replace_partitions, require_table, snapshot_property
from batch.tables.table_schemas import EVENTS, SESSIONS, TITLES, TableSchema


@dataclass(frozen=True, slots=True)
class Inputs:
    """Rows of the tables that features are made from."""

    sessions_df: DataFrame
    playback_df: DataFrame
    """At least the events of all sessions with an event since the first midnight."""
    ui_df: DataFrame
    titles_df: DataFrame


def feature_rows(
    inputs: Inputs, as_ofs: Collection[date], keep: Callable[[DataFrame], DataFrame]
) -> dict[str, DataFrame]:
    """Table name -> its rows at these midnights. ``keep`` caches a DataFrame that several tables use."""
    known_df = keep(sessions_as_of(inputs.sessions_df, inputs.playback_df, as_ofs))
    watched_df = keep(watched(known_df, inputs.titles_df))
    return {
        PROFILE_FEATURES.name: profile_features(known_df, watched_df, inputs.titles_df),
        TITLE_FEATURES.name: title_features(known_df, watched_df, inputs.titles_df),
        PAIR_FEATURES.name: pair_features(watched_df, inputs.ui_df, as_ofs),
    }


@dataclass
class FeaturesJob:
    """Makes all three tables from one pass over the sessions, which it keeps in Spark's cache while it is entered."""

    spark: SparkSession
    namespace: str
    as_ofs: Sequence[date]
    """Consecutive midnights."""
    dry_run: bool
    _cached: list[DataFrame] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._cached:
            each.unpersist()

    def steps(self) -> dict[str, Callable[[Report], None]]:
        """Table name -> a function that makes and publishes its rows and raises AuditFailed or ConcurrentCommit.

        Raises LakeError if an input is missing.
        """
        sessions, events = (require_table(self.spark, self.namespace, each) for each in (SESSIONS, EVENTS["playback"]))
        ui, titles = (Table(self.spark, self.namespace, each) for each in (EVENTS["ui"], TITLES))
        snapshots = [table.history()[0].id for table in (sessions, events, ui, titles) if table.exists]
        source = f"{snapshots} {self.as_ofs[0]} {self.as_ofs[-1]}"
        inputs = Inputs(sessions.rows(), self._recent(sessions, events), self._rows(ui), self._rows(titles))
        rows = feature_rows(inputs, self.as_ofs, self._cache)
        return {each.name: partial(self._publish, each, rows[each.name], source) for each in FEATURES}

    def _recent(self, sessions: Table, events: Table) -> DataFrame:
        """Events since the earliest of any session with an event since the first midnight."""
        active_df = sessions.rows().where(known_at() >= F.lit(self.as_ofs[0]))
        start = active_df.agg(F.min("earliest_at")).first()
        assert start is not None  # an aggregate without groups always has one row
        return events.rows().where(F.col("event_time") >= F.lit(start[0]))

    def _publish(self, schema: TableSchema, rows_df: DataFrame, source: str, report: Report) -> None:
        if self.dry_run:
            report("rows to publish", require_sound(rows_df, schema))
            return
        table = Table(self.spark, self.namespace, schema)
        table.ensure()
        history = table.history()
        if snapshot_property(history, SOURCE) == source:
            report("rows changed", 0)
            return
        staged = table.stage(rows_df, history[0], replace_partitions, {SOURCE: source})
        written_df = staged.rows().where(F.col("as_of").between(self.as_ofs[0], self.as_ofs[-1]))
        report("rows of the midnights made", publish_if_sound(staged, written_df))

    def _cache(self, any_df: DataFrame) -> DataFrame:
        self._cached.append(any_df.persist())
        return any_df

    def _rows(self, table: Table) -> DataFrame:
        """No rows if the table does not exist: the catalogue and UI events are optional."""
        if table.exists:
            return table.rows()
        columns = ", ".join(f"{name} {kind}" for name, kind in table.schema.types.items())
        return self.spark.createDataFrame([], columns)


def newest_as_of(spark: SparkSession, namespace: str) -> date | None:
    """The last midnight for which every feature table has rows; None if one has none."""
    tables = [Table(spark, namespace, each) for each in FEATURES]
    if not all(table.exists for table in tables):
        return None
    ends = [row[0] for table in tables if (row := table.rows().agg(F.max("as_of")).first())]
    return None if None in ends else min(ends)
