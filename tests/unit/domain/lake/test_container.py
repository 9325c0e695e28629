"""Container files are Avro for everybody, pass datums through, and come out alike byte for byte."""

import io
from typing import Any

import fastavro
import polars as pl

from domain.lake import container
from schemas import avro
from schemas.codec import encode
from tests.support.builders import playback
from tests.unit.streams.lake_sink.fixtures import SCHEMAS, datum

EVENTS = [playback(seq=n) for n in range(5000)]
DATUMS = [encode(event) for event in EVENTS]
BODY = container.write("some/key", avro.schema("playback"), DATUMS, {"playhead.missing": "[]"})


def test_fastavro_reads_every_row() -> None:
    reader = fastavro.reader(io.BytesIO(BODY))
    rows: list[Any] = list(reader)
    assert [row["seq"] for row in rows] == list(range(5000))
    assert reader.metadata["avro.codec"] == "deflate"
    assert reader.metadata["playhead.missing"] == "[]"


def test_polars_reads_every_row_with_its_logical_types() -> None:
    frame = pl.read_avro(io.BytesIO(BODY))
    assert frame["seq"].to_list() == list(range(5000))
    assert frame["event_id"][0] == EVENTS[0].event_id
    assert frame["received_at"].dtype == pl.Datetime("ms", "UTC")


def test_own_reader_gives_physical_values() -> None:
    metadata, rows = container.read(BODY)
    first = next(rows)
    assert (first["event_id"], first["received_at"]) == (EVENTS[0].event_id, EVENTS[0].received_at)
    assert metadata["playhead.missing"] == "[]"
    assert sum(1 for _ in rows) == 4999


def test_datums_pass_through_unchanged_in_several_blocks() -> None:
    blocks: list[Any] = list(fastavro.block_reader(io.BytesIO(BODY)))
    assert len(blocks) > 1
    assert b"".join(block.bytes_.getvalue() for block in blocks) == b"".join(DATUMS)


def test_same_key_and_records_give_the_same_bytes() -> None:
    assert container.write("some/key", avro.schema("playback"), DATUMS, {"playhead.missing": "[]"}) == BODY


def test_another_key_has_another_sync_marker() -> None:
    assert container.write("other/key", SCHEMAS[1], [datum(1)], {}) != container.write("k", SCHEMAS[1], [datum(1)], {})


def test_a_file_without_rows_is_a_file() -> None:
    body = container.write("k", SCHEMAS[1], [], {})
    assert list(fastavro.reader(io.BytesIO(body))) == []
    assert list(container.read(body)[1]) == []
