"""Runs one aggregate over the table of playback events twice with one engine; prints seconds and answer as JSON."""

import json
import sys
import time
from collections.abc import Callable

from infra.runtime.settings import Settings


def by_spark(settings: Settings) -> Callable[[], tuple[int, int, int]]:
    from batch.session import spark_session
    from batch.wiring import connections, load_settings

    spark = spark_session("bench", connections(settings), load_settings()[1])
    query = f"""
        SELECT count(*), sum(events), sum(watched_ms) FROM (
            SELECT title_id, date_trunc('hour', event_time), count(*) AS events, max(watched_ms) AS watched_ms
            FROM lake.{settings.iceberg_namespace}.playback GROUP BY ALL
        )"""

    def answer() -> tuple[int, int, int]:
        groups, events, watched = spark.sql(query).collect()[0]
        return groups, events, watched

    return answer


def by_polars(settings: Settings) -> Callable[[], tuple[int, int, int]]:
    import polars as pl

    from infra.engines.iceberg import scan

    def answer() -> tuple[int, int, int]:
        rows = scan(settings, "playback")
        groups = rows.group_by("title_id", pl.col("event_time").dt.truncate("1h")).agg(
            pl.len().alias("events"), pl.col("watched_ms").max()
        )
        found = groups.select(pl.len(), pl.col("events").sum().alias("e"), pl.col("watched_ms").sum())
        row = found.collect(engine="streaming").row(0)
        return row[0], row[1], row[2]

    return answer


def main(engine: str) -> None:
    answer = {"spark": by_spark, "polars": by_polars}[engine](Settings())
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        found = answer()
        seconds.append(time.monotonic() - began)
    print(json.dumps({"seconds": seconds, "answer": found}))


if __name__ == "__main__":
    main(sys.argv[1])
