from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from batch.tables.assets import update_assets
from batch.tables.ingest import IngestContext
from batch.tables.table import Table
from batch.tables.table_schemas import ASSETS
from tests.spark.frames import rows
from tests.spark.raw_lake import RawLake
from tests.support.builders import asset


@pytest.fixture
def lake(tmp_path: Path) -> RawLake:
    return RawLake(tmp_path)


def test_the_record_with_the_highest_seq_of_each_title_holds(
    spark: SparkSession, lake: RawLake, namespace: str
) -> None:
    context = IngestContext(spark, lake.store, lake.root, namespace, dry_run=False)
    table = Table(spark, namespace, ASSETS)

    def held() -> list[tuple[object, ...]]:
        return rows(table.rows(), "title_id", "seq", "status")

    lake.put(asset("a", 1), asset("b", 1), asset("a", 2))
    update_assets(context, lambda *_: None)
    assert held() == [("a", 2, "live"), ("b", 1, "live")]
    lake.put(asset("b", 2, status="removed"), asset("a", 2))
    lake.put(asset("a", 1), asset("c", 1), partition=1)
    update_assets(context, lambda *_: None)
    reports: dict[str, int] = {}
    update_assets(context, reports.__setitem__)
    assert reports == {"objects found": 0}
    assert held() == [("a", 2, "live"), ("b", 2, "removed"), ("c", 1, "live")]
    update_assets(context, reports.__setitem__, rebuild=True)
    assert reports["titles with a record"] == 3
    assert held() == [("a", 2, "live"), ("b", 2, "removed"), ("c", 1, "live")]
    assert rows(table.rows(), "renditions")[0][0][0]["quality"] == 1
