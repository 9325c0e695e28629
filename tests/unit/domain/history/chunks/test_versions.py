"""Chunks of older and newer software."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from pcodec.wrapped import FileCompressor

from domain.history.chunks.chunk import decode, decode_for_rewriting, encode, read_header
from domain.history.chunks.layout import CorruptChunk, UnknownSchema, pack, unpack
from domain.history.chunks.numbers import PCO_HEADER
from schemas.events import ViewingRecord
from tests.support.freeze_chunk import GOLDEN, PROFILE
from tests.support.histories import history

RECORDS = history(30)
NEW_COLUMN, ERROR_CODE, COUNTRY, DURATION = 99, 8, 13, 14


def from_newer_software() -> bytes:
    header, columns = unpack(encode(RECORDS))
    return pack(replace(header, schema="00112233aabbccdd"), {**columns, NEW_COLUMN: b"what will be"})


def without(column: int) -> bytes:
    header, columns = unpack(encode(RECORDS))
    return pack(header, {id: column_bytes for id, column_bytes in columns.items() if id != column})


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v*.bin")), ids=lambda path: path.stem)
def test_every_released_version_decodes(path: Path) -> None:
    records = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=list[ViewingRecord])
    assert decode(path.read_bytes(), PROFILE) == records
    assert decode_for_rewriting(path.read_bytes(), PROFILE) == records


def test_there_is_a_released_version() -> None:
    assert (GOLDEN / "v1.bin").exists()


def test_a_reader_passes_over_a_column_that_it_does_not_know() -> None:
    assert decode(from_newer_software(), "ml-1") == RECORDS


def test_a_compactor_refuses_to_rewrite_a_chunk_with_a_column_that_it_does_not_know() -> None:
    with pytest.raises(UnknownSchema, match="99"):
        decode_for_rewriting(from_newer_software(), "ml-1")


def test_the_header_names_the_writers_schema() -> None:
    assert read_header(from_newer_software()).schema == "00112233aabbccdd"


def test_a_column_that_older_software_did_not_write_has_the_contracts_default() -> None:
    assert decode(without(ERROR_CODE), "ml-1") == [msgspec.structs.replace(one, error_code=None) for one in RECORDS]


def test_a_column_without_a_default_may_not_be_missing() -> None:
    with pytest.raises(CorruptChunk, match="country"):
        decode(without(COUNTRY), "ml-1")


def test_a_column_that_others_are_expected_from_may_not_be_missing() -> None:
    with pytest.raises(CorruptChunk, match="duration_ms"):
        decode(without(DURATION), "ml-1")


def test_a_newer_format_is_not_guessed_at() -> None:
    header, columns = unpack(encode(RECORDS))
    newer = pack(replace(header, format_version=2), columns)
    for read in (read_header, lambda chunk: decode(chunk, "ml-1"), lambda chunk: decode_for_rewriting(chunk, "ml-1")):
        with pytest.raises(UnknownSchema, match="format 2"):
            read(newer)


def test_pcodec_still_writes_the_format_that_chunks_hold() -> None:
    assert FileCompressor().write_header() == PCO_HEADER
