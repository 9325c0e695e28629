"""The guide's example of a job of one's own."""

import runpy

import pytest
from pyspark.sql import SparkSession

from batch import wiring
from batch.tables.table import ensure_namespace
from infra.runtime.settings import ROOT
from tests.support.restored_logging import logging_restored

EXAMPLE = ROOT / "docs" / "guides" / "examples" / "hours_by_country.py"


def test_the_example_prints_the_hours_of_each_country(
    spark: SparkSession, namespace: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_namespace(spark, namespace)
    sessions = "VALUES ('NL', 5400000), ('DE', 3600000), ('NL', 1800000) AS s(country, watched_ms)"
    spark.sql(f"CREATE TABLE lake.{namespace}.playback_sessions USING iceberg AS SELECT * FROM {sessions}")
    monkeypatch.setattr(wiring, "start_spark", lambda *_: spark)
    monkeypatch.setenv("PLAYHEAD_ICEBERG_NAMESPACE", namespace)

    with logging_restored():
        runpy.run_path(str(EXAMPLE), run_name="__main__")

    printed = capsys.readouterr().out
    assert printed.index("NL 2.0") < printed.index("DE 1.0")
