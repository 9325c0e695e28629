"""The features job, step by step: tables -> what was known at some midnights -> feature tables, audited, published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from types import TracebackType
from typing import Self

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.features.definitions import FEATURES
from batch.features.point_in_time import known_at
from batch.features.rows import Inputs, feature_rows
from batch.tables.audit import publish_if_sound, require_sound
from batch.tables.derived_tables import SOURCE
from batch.tables.ingest import Stage
from batch.tables.table import Table, remembered, replace_partitions, required
from batch.tables.table_schemas import EVENTS, SESSIONS, TITLES, Definition


@dataclass
class FeaturesJob:
    """All three tables are made of one pass over the sessions; enter it to hold that pass in Spark's cache."""

    spark: SparkSession
    namespace: str
    as_ofs: Sequence[date]
    """In order, without a gap."""
    dry_run: bool
    _kept: list[DataFrame] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._kept:
            each.unpersist()

    def steps(self) -> dict[str, Callable[[Stage], None]]:
        """Name of a table -> makes and publishes its rows. Raises LakeError; the steps AuditFailed, Rival."""
        sessions, events = (required(self.spark, self.namespace, each) for each in (SESSIONS, EVENTS["playback"]))
        ui, titles = (Table(self.spark, self.namespace, each) for each in (EVENTS["ui"], TITLES))
        made_of = [table.history()[0].id for table in (sessions, events, ui, titles) if table.exists]
        source = f"{made_of} {self.as_ofs[0]} {self.as_ofs[-1]}"
        inputs = Inputs(sessions.rows(), self._recent(sessions, events), self._rows(ui), self._rows(titles))
        made = feature_rows(inputs, self.as_ofs, self._keep)
        return {each.name: partial(self._publish, each, made[each.name], source) for each in FEATURES}

    def _recent(self, sessions: Table, events: Table) -> DataFrame:
        """Events since the earliest of any session that was heard of since the first midnight."""
        spoke_df = sessions.rows().where(known_at() >= F.lit(self.as_ofs[0]))
        start = spoke_df.agg(F.min("earliest_at")).first()
        assert start is not None  # an aggregate without groups always has one row
        return events.rows().where(F.col("event_time") >= F.lit(start[0]))

    def _publish(self, definition: Definition, rows_df: DataFrame, source: str, stage: Stage) -> None:
        if self.dry_run:
            stage("rows to publish", require_sound(rows_df, definition))
            return
        table = Table(self.spark, self.namespace, definition)
        table.ensure()
        history = table.history()
        if remembered(history, SOURCE) == source:
            stage("rows changed", 0)
            return
        staged = table.stage(rows_df, history[0], replace_partitions, {SOURCE: source})
        written_df = staged.rows().where(F.col("as_of").between(self.as_ofs[0], self.as_ofs[-1]))
        stage("rows of the midnights made", publish_if_sound(staged, written_df))

    def _keep(self, any_df: DataFrame) -> DataFrame:
        self._kept.append(any_df.persist())
        return any_df

    def _rows(self, table: Table) -> DataFrame:
        """None of a table that isn't there: films go without a catalogue, plays without browsing."""
        if table.exists:
            return table.rows()
        columns = ", ".join(f"{name} {kind}" for name, kind in table.definition.types.items())
        return self.spark.createDataFrame([], columns)


def newest(spark: SparkSession, namespace: str) -> date | None:
    """The last midnight that every feature table has rows for; None while one has none."""
    tables = [Table(spark, namespace, each) for each in FEATURES]
    if not all(table.exists for table in tables):
        return None
    ends = [row[0] for table in tables if (row := table.rows().agg(F.max("as_of")).first())]
    return None if None in ends else min(ends)
