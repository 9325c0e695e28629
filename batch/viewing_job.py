"""The viewing job, step by step: lake -> sessions -> figures. Where it runs and where the page goes is for main."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from batch import lake
from batch.viewing import newest_event_per_session, with_hour, with_known_dimensions, with_outcome
from batch.viewing_report import Period, Report, viewing_report
from schemas.avro import schema
from schemas.topics import EVENT_TOPICS


@dataclass(frozen=True, slots=True)
class ViewingJob:
    root: str
    """The lake, for instance ``s3a://lake``."""
    period: Period
    now: datetime
    """Aware; tells sessions that are over from those that may go on."""
    session_timeout: timedelta

    def run(self, spark: SparkSession, stage: Callable[[str, int], None]) -> Report:
        """The report. ``stage`` hears of each step that is done and of its rows. Raises LakeError, SchemaMismatch."""
        with lake.lake_errors():
            topic = EVENT_TOPICS["playback"]
            events_df = lake.raw_events(spark, self.root, topic.name, schema(topic.record))
            stage("objects found", len(events_df.inputFiles()))
            sessions_df = self.sessions(events_df).persist(StorageLevel.MEMORY_AND_DISK)
            try:
                stage("sessions", sessions_df.count())
                report = viewing_report(sessions_df, lake.titles(spark, self.root), self.period, stage)
            finally:
                sessions_df.unpersist()
            stage("events", report.events)
            return report

    def sessions(self, events_df: DataFrame) -> DataFrame:
        return (
            events_df.transform(newest_event_per_session)
            .transform(with_known_dimensions)
            .transform(with_hour)
            .transform(with_outcome, self.now, self.session_timeout)
        )
