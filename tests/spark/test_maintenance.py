from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from pyspark.sql import SparkSession

from batch.tables.audit import AuditFailed
from batch.tables.maintenance import MaintenanceOptions, maintain
from batch.tables.table import append, snapshot_property
from domain.lake.positions import POSITIONS_KEY
from tests.spark.frames import events
from tests.spark.raw_lake import RawLake
from tests.spark.test_ingest import Tables, event

NO_PAST = MaintenanceOptions(datetime.now(UTC) + timedelta(days=1), timedelta(0), dry_run=False)


@pytest.fixture
def lake(tmp_path: Path) -> RawLake:
    return RawLake(tmp_path)


@pytest.fixture
def tables(spark: SparkSession, lake: RawLake, namespace: str) -> Tables:
    return Tables(spark, lake, namespace)


def look_after(tables: Tables, options: MaintenanceOptions) -> dict[str, int]:
    reports: dict[str, int] = {}
    maintain(tables.playback, options, reports.__setitem__)
    return reports


def test_files_and_snapshots_become_few_and_rows_and_positions_stay(lake: RawLake, tables: Tables) -> None:
    lake.put(event(0))
    tables.run()
    for number in range(1, 5):
        events(tables.context.spark, msgspec.to_builtins(event(number))).writeTo(tables.playback.name).append()
    tables.playback.stage(tables.playback.rows(), tables.playback.history()[0], append, {})  # a killed job's

    dry = look_after(tables, MaintenanceOptions(NO_PAST.now, NO_PAST.keep, dry_run=True))
    reports = look_after(tables, NO_PAST)

    assert dry == {"files": 5, "snapshots": 6}
    assert (reports["files"], reports["small files compacted"]) == (5, 5)
    assert tables.context.spark.table(f"{tables.playback.name}.files").count() == 1
    assert len(tables.playback.history()) == 1
    assert tables.playback.refs().keys() == {"main"}
    assert tables.seqs() == [0, 1, 2, 3, 4]
    assert snapshot_property(tables.playback.history(), POSITIONS_KEY) == '{"AAA":{"0":1}}'
    assert tables.run() == {"objects found": 0}


def test_an_event_that_is_there_twice_is_noticed_wherever_it_is(lake: RawLake, tables: Tables) -> None:
    lake.put(event(2), event(3))
    tables.run()
    name = tables.playback.name
    tables.context.spark.sql(f"INSERT INTO {name} SELECT * FROM {name} WHERE seq = 3")

    with pytest.raises(AuditFailed, match=r"1 keys occur more than once, for instance 018bcfe5-.*3; `job tables"):
        look_after(tables, NO_PAST)
