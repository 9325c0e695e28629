"""The viewing job, step by step: sessions and titles -> figures. Where it runs and where the page goes is for main."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from batch.definitions import SESSIONS, TITLES
from batch.lake import LakeError
from batch.schema_guard import require_columns
from batch.table import Table
from batch.viewing import SESSION_COLUMNS, with_hour, with_known_dimensions, with_outcome
from batch.viewing_report import Period, Report, viewing_report


@dataclass(frozen=True, slots=True)
class ViewingJob:
    namespace: str
    """Where the tables are."""
    period: Period
    now: datetime
    """Aware; tells sessions that are over from those that may go on."""
    session_timeout: timedelta

    def run(self, spark: SparkSession, stage: Callable[[str, int], None]) -> Report:
        """The report. ``stage`` hears of each step that is done and of its rows. Raises LakeError, SchemaMismatch."""
        table = Table(spark, self.namespace, SESSIONS)
        if not table.exists:
            raise LakeError(f"there is no table {table.name}: `playhead job tables` makes it")
        sessions_df = self.sessions(table.rows()).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            stage("sessions", sessions_df.count())
            report = viewing_report(sessions_df, self._titles(spark), self.period, stage)
        finally:
            sessions_df.unpersist()
        stage("events", report.events)
        return report

    def sessions(self, sessions_df: DataFrame) -> DataFrame:
        return (
            sessions_df.transform(require_columns, SESSION_COLUMNS)
            .transform(with_known_dimensions)
            .transform(with_hour)
            .transform(with_outcome, self.now, self.session_timeout)
        )

    def _titles(self, spark: SparkSession) -> DataFrame:
        """Ids, names and years; none if no catalogue was ever written: titles then go by their ids."""
        titles = Table(spark, self.namespace, TITLES)
        if not titles.exists:
            return spark.createDataFrame([], "title_id string, name string, year int")
        return titles.rows().select("title_id", "name", "year")
