"""A job of your own: hours watched in each country, printed. Copy it and change it."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.tables.table import require_table
from batch.tables.table_schemas import SESSIONS
from batch.wiring import job


def hours_by_country(sessions_df: DataFrame) -> DataFrame:
    """``country`` and ``hours``, most hours first."""
    hours = F.round(F.sum("watched_ms") / 3_600_000, 1)
    return sessions_df.groupBy("country").agg(hours.alias("hours")).orderBy(F.desc("hours"), "country")


def main() -> None:
    with job("hours by country") as run, run.step("sessions") as report:
        sessions = require_table(run.spark, run.settings.iceberg_namespace, SESSIONS)
        rows = hours_by_country(sessions.rows()).collect()
        report("countries", len(rows))
        for row in rows:
            run.note(f"{row.country} {row.hours}")


if __name__ == "__main__":
    main()
