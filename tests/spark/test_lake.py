import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest
from pyspark.sql import SparkSession

from batch.lake import LakeError, lake_errors, raw_events, titles
from schemas.avro import Schema
from tests.builders import playback
from tests.spark.frames import NEWEST, put_datums, put_object, rows

TOPIC = "playhead.playback"


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


def test_all_partitions_and_topic_ids_are_read(spark: SparkSession, tmp_path: Path) -> None:
    put_object(tmp_path, "AAA/partition=0/00000000000000000000.avro", [playback(seq=1), playback(seq=2)])
    put_object(tmp_path, "AAA/partition=3/00000000000000000000.avro", [playback(seq=3)])
    put_object(tmp_path, "_BB/partition=0/00000000000000000000.avro", [playback(seq=4)])  # made again

    events_df = raw_events(spark, f"file:{tmp_path}", TOPIC, NEWEST)

    assert rows(events_df, "seq") == [(1,), (2,), (3,), (4,)]
    assert events_df.columns == [field["name"] for field in NEWEST["fields"]]


def test_a_gap_has_no_rows(spark: SparkSession, tmp_path: Path) -> None:
    put_object(tmp_path, "AAA/partition=0/00000000000000000000.avro", [])
    put_object(tmp_path, "AAA/partition=0/00000000000000000005.avro", [playback()])

    assert raw_events(spark, f"file:{tmp_path}", TOPIC, NEWEST).count() == 1


def test_a_topic_without_objects_is_empty_and_has_the_schema(spark: SparkSession, tmp_path: Path) -> None:
    put_object(tmp_path / "other", "AAA/partition=0/00000000000000000000.avro", [playback()])

    missing_df = raw_events(spark, f"file:{tmp_path}", TOPIC, NEWEST)
    present_df = raw_events(spark, f"file:{tmp_path}/other", TOPIC, NEWEST)

    assert missing_df.count() == 0
    assert missing_df.dtypes == present_df.dtypes


def test_older_and_newer_writers_mix(spark: SparkSession, tmp_path: Path) -> None:
    put_object(tmp_path, "AAA/partition=0/00000000000000000000.avro", [playback(seq=1)])
    newer = datum(version_2(), seq=2, network_type="wifi", event_type="skipped_intro")
    put_datums(tmp_path, "AAA/partition=0/00000000000000000001.avro", [newer], version_2())

    today_df = raw_events(spark, f"file:{tmp_path}", TOPIC, NEWEST)
    tomorrow_df = raw_events(spark, f"file:{tmp_path}", TOPIC, version_2())

    assert rows(today_df, "seq", "event_type") == [(1, "heartbeat"), (2, "unknown")]
    assert rows(tomorrow_df, "seq", "event_type", "network_type") == [
        (1, "heartbeat", None),
        (2, "skipped_intro", "wifi"),
    ]


@pytest.mark.parametrize("damage", ["cut", "overwritten", "something else"])
def test_a_damaged_object_is_named(spark: SparkSession, tmp_path: Path, damage: str) -> None:
    put_object(tmp_path, "AAA/partition=0/00000000000000000000.avro", [playback()])
    file = put_object(tmp_path, "AAA/partition=1/00000000000000000007.avro", [playback(seq=n) for n in range(50)])
    body = file.read_bytes()
    damages = {"cut": body[:-20], "overwritten": body[:-300] + bytes(100) + body[-200:], "something else": b"PNG" * 99}
    file.write_bytes(damages[damage])

    with pytest.raises(LakeError, match=r"partition=1/00000000000000000007\.avro cannot be read: "), lake_errors():
        raw_events(spark, f"file:{tmp_path}", TOPIC, NEWEST).agg({"seq": "max"}).collect()


def test_a_lake_that_cannot_be_reached_is_an_error_not_an_empty_lake(spark: SparkSession) -> None:
    with pytest.raises(LakeError, match="the lake cannot be read: "), lake_errors():
        raw_events(spark, "nowhere://lake", TOPIC, NEWEST)


def test_titles_of_the_catalogue(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    film = {"title_id": "ml-50", "name": "Star Wars", "year": 1977, "runtime_ms": 7_260_000, "genres": ["Action"]}
    (tmp_path / "catalogue" / "titles.jsonl").write_text(json.dumps(film) + "\n")

    assert rows(titles(spark, f"file:{tmp_path}"), "title_id", "name", "year") == [("ml-50", "Star Wars", 1977)]


def test_without_a_catalogue_there_are_no_titles(spark: SparkSession, tmp_path: Path) -> None:
    assert titles(spark, f"file:{tmp_path}").count() == 0
