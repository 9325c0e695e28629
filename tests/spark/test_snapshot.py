"""The daily snapshot of all histories: whole, in parts, replaced by a later run, or not published at all."""

import asyncio
from datetime import date

import pytest
from pyspark.sql import SparkSession

from batch.tables import snapshot
from batch.tables.audit import AuditFailed
from batch.tables.snapshot import publish, read_histories
from batch.tables.table import Table
from batch.tables.table_schemas import RECORDS, SNAPSHOTS
from domain.history.reading import HistoryReader
from tests.spark.frames import rows
from tests.support.builders import viewing_record
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.support.fake_metrics import FakeMetrics

MONDAY, TUESDAY = date(2023, 11, 13), date(2023, 11, 14)


def test_a_day_holds_every_history_and_a_later_run_replaces_it(
    spark: SparkSession, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "CHUNK", 2)
    table, reports = Table(spark, namespace, SNAPSHOTS), dict[str, int]()
    live = FakeLiveVH()
    reader = HistoryReader(live, FakeCompressedVH(), FakeMetrics())

    def take(day: date, *profiles: str) -> None:
        publish(table, day, read_histories(profiles, reader), reports.__setitem__)

    take(MONDAY)
    assert reports == {"viewing records": 0}
    asyncio.run(live.write([viewing_record(profile_id=who, startup_time_ms=None) for who in ("a", "b", "c")]))
    take(MONDAY, "a", "b", "c")
    take(TUESDAY, "a", "b")
    asyncio.run(live.write([viewing_record(profile_id="b", seq=9)]))
    take(TUESDAY, "a", "b")

    assert reports == {"viewing records": 2}
    assert rows(table.rows(), "snapshot_on", "profile_id", "seq", "startup_time_ms") == [
        (MONDAY, "a", 3, None),
        (MONDAY, "b", 3, None),
        (MONDAY, "c", 3, None),
        (TUESDAY, "a", 3, None),
        (TUESDAY, "b", 9, 1_500),
    ]
    live.markers["b"] = 1  # a compaction moved records to where they are not found
    with pytest.raises(AuditFailed, match="a part of the history of b cannot be read"):
        take(TUESDAY, "a", "b")
    assert table.rows().where("snapshot_on = DATE '2023-11-14'").count() == 2
    assert table.refs().keys() == {"main"}


def test_times_are_the_records_own(spark: SparkSession) -> None:
    record_df = snapshot.rows(spark, [viewing_record(received_at=1_700_000_000_123)])

    assert dict(record_df.dtypes) == RECORDS.types
    assert record_df.selectExpr("unix_millis(received_at)").collect() == [(1_700_000_000_123,)]
