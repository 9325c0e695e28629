import io
from copy import deepcopy
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest
from pyspark.sql import SparkSession

from batch.tables.lake_errors import LakeError, events_in, lake_errors
from schemas.avro import Schema, schema
from tests.spark.frames import rows
from tests.spark.raw_lake import RawLake
from tests.support.builders import playback

NEWEST = schema("playback")


def version_2() -> Schema:
    """A later contract: one more field, one more kind of event."""
    later: dict[str, Any] = deepcopy(NEWEST)
    later["fields"].append({"name": "network_type", "type": ["null", "string"], "default": None})
    kinds = next(field for field in later["fields"] if field["name"] == "event_type")["type"]
    kinds["symbols"].append("skipped_intro")
    return later


def datum(schema: Schema, **changes: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), msgspec.to_builtins(playback()) | changes)
    return out.getvalue()


@pytest.fixture
def lake(tmp_path: Path) -> RawLake:
    return RawLake(tmp_path)


def paths(lake: RawLake) -> list[str]:
    return [f"{lake.root}/{key}" for key in lake.store.objects]


def test_all_partitions_and_topic_ids_are_read(spark: SparkSession, lake: RawLake) -> None:
    lake.put(playback(seq=1), playback(seq=2))
    lake.put(playback(seq=3), partition=3)
    lake.put(playback(seq=4), topic_id="_BB")  # made again

    events_df = events_in(spark, paths(lake), NEWEST)

    assert rows(events_df, "seq") == [(1,), (2,), (3,), (4,)]
    assert events_df.columns == [field["name"] for field in NEWEST["fields"]]


def test_without_objects_there_are_columns_and_no_rows(spark: SparkSession, lake: RawLake) -> None:
    lake.put(playback())

    missing_df = events_in(spark, [], NEWEST)

    assert missing_df.count() == 0
    assert missing_df.dtypes == events_in(spark, paths(lake), NEWEST).dtypes


def test_older_and_newer_writers_mix(spark: SparkSession, lake: RawLake) -> None:
    lake.put(playback(seq=1))
    lake.put_datums(
        "playback", [datum(version_2(), seq=2, network_type="wifi", event_type="skipped_intro")], version_2()
    )

    today_df = events_in(spark, paths(lake), NEWEST)
    tomorrow_df = events_in(spark, paths(lake), version_2())

    assert rows(today_df, "seq", "event_type") == [(1, "heartbeat"), (2, "unknown")]
    assert rows(tomorrow_df, "seq", "event_type", "network_type") == [
        (1, "heartbeat", None),
        (2, "skipped_intro", "wifi"),
    ]


@pytest.mark.parametrize("damage", ["cut", "overwritten", "something else"])
def test_a_damaged_object_is_named(spark: SparkSession, lake: RawLake, damage: str) -> None:
    lake.put(playback())
    key = lake.put(*(playback(seq=n) for n in range(50)), partition=1)
    body = lake.store.get(key)
    damages = {"cut": body[:-20], "overwritten": body[:-300] + bytes(100) + body[-200:], "something else": b"PNG" * 99}
    lake.damage(key, damages[damage])

    with pytest.raises(LakeError, match=f"{key} cannot be read: "), lake_errors():
        events_in(spark, paths(lake), NEWEST).agg({"seq": "max"}).collect()


def test_a_lake_that_cannot_be_reached_is_an_error_not_an_empty_lake(spark: SparkSession) -> None:
    with pytest.raises(LakeError, match="the lake cannot be read: "), lake_errors():
        events_in(spark, ["nowhere://lake/raw"], NEWEST)
