"""The job that computes the inputs of the daily reports from the tables. ``main`` writes the pages."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from pyspark.sql import DataFrame, SparkSession

from batch.progress import Report
from batch.reports.aggregates import (
    EVENT_COLUMNS,
    UI_COLUMNS,
    aggregates_by_day,
    choices,
    funnel_by_day,
    newest,
    viewers_by_minute,
    volumes,
)
from batch.reports.inputs import ReportInputs, with_context, with_week_before
from batch.reports.streams import PLAN_COLUMNS, STREAM_COLUMNS, crowded_accounts
from batch.reports.views import SESSION_COLUMNS, views
from batch.tables.events import on_days
from batch.tables.schema_guard import require_columns
from batch.tables.table import Table, require_table
from batch.tables.table_schemas import CHANGES, EVENTS, SESSIONS, TITLES, TableSchema


@dataclass(frozen=True, slots=True)
class ReportsJob:
    namespace: str
    """Of the tables."""
    days: Collection[date]
    """The days to show."""
    now: datetime
    """Aware. A session without events for ``session_timeout`` before it has ended."""
    session_timeout: timedelta

    def run(self, spark: SparkSession, report: Report) -> ReportInputs:
        """Runs one aggregation for each input, whatever the number of days. Raises LakeError, SchemaMismatch."""
        sessions_df = self._read(spark, SESSIONS, SESSION_COLUMNS)
        playback_df = self._read(spark, EVENTS["playback"], EVENT_COLUMNS)
        ui_df = self._read(spark, EVENTS["ui"], UI_COLUMNS)
        compared, all_days = with_week_before(self.days), with_context(self.days)
        compared_views_df = views(sessions_df, compared, self.now, self.session_timeout)
        tables = [table for each in EVENTS.values() if (table := Table(spark, self.namespace, each)).exists]

        def made(name: str, small_df: DataFrame) -> pl.DataFrame:
            frame = pl.DataFrame(small_df.toArrow())
            report(name, len(frame))
            return frame

        views_df = views(sessions_df, all_days, self.now, self.session_timeout)
        viewers_df = viewers_by_minute(playback_df.where(on_days("event_time", compared)))
        choices_df = choices(ui_df.where(on_days("event_time", compared)), compared_views_df)
        fullest = made("rows by family and day", volumes(tables))
        return ReportInputs(
            aggregates=made("aggregates by day and group", aggregates_by_day(views_df)),
            viewers=made("minutes with viewers", viewers_df),
            funnel=made("days with browsing or viewing", funnel_by_day(choices_df)),
            volumes=fullest.filter(pl.col("day").is_in(list(all_days))),
            newest=dict(made("families", newest(tables)).iter_rows()),
            titles=self._titles(spark, report),
            crowded=self._crowded(spark, made),
        )

    def _read(self, spark: SparkSession, schema: TableSchema, columns: Mapping[str, str]) -> DataFrame:
        return require_table(spark, self.namespace, schema).rows().transform(require_columns, columns)

    def _crowded(self, spark: SparkSession, made: Callable[[str, DataFrame], pl.DataFrame]) -> pl.DataFrame | None:
        """None without a table of plans: nobody is judged then."""
        plans = Table(spark, self.namespace, CHANGES["entitlements"])
        if not plans.exists:
            return None
        events_df = self._read(spark, EVENTS["playback"], STREAM_COLUMNS).where(on_days("event_time", self.days))
        plans_df = plans.rows().transform(require_columns, PLAN_COLUMNS)
        return made("accounts on too many streams", crowded_accounts(events_df, plans_df))

    def _titles(self, spark: SparkSession, report: Report) -> dict[str, tuple[str, int | None]]:
        """Empty without a catalogue; the pages then show title ids."""
        titles = Table(spark, self.namespace, TITLES)
        rows = titles.rows().select("title_id", "name", "year").collect() if titles.exists else []
        report("titles in the catalogue", len(rows))
        return {row.title_id: (row.name, row.year) for row in rows}
