"""Chunks of bounded size."""

import pytest

from domain.history.chunks.chunk import decode
from domain.history.chunks.split import MAX_BYTES, split
from tests.support.histories import history

RECORDS = history(4_000)


def test_no_chunk_is_larger_than_64_kib() -> None:
    chunks = split(RECORDS)
    assert len(chunks) > 1
    assert max(len(chunk.body) for chunk in chunks) <= 65_536


def test_together_the_chunks_hold_all_records_in_order() -> None:
    chunks = split(RECORDS[::-1], max_bytes=8_192)
    assert [record for chunk in chunks for record in chunk.records] == RECORDS
    assert [record for chunk in chunks for record in decode(chunk.body, "ml-1")] == RECORDS


def test_all_chunks_but_the_last_are_nearly_full() -> None:
    sizes = [len(chunk.body) for chunk in split(RECORDS, max_bytes=16_384)]
    assert all(size > 0.85 * 16_384 for size in sizes[:-1])


def test_few_records_are_one_chunk() -> None:
    (chunk,) = split(history(80))
    assert len(chunk.records) == 80
    assert len(chunk.body) < MAX_BYTES / 8


def test_nothing_needs_no_chunk() -> None:
    assert split([]) == []


def test_a_record_larger_than_a_chunk_is_an_error() -> None:
    with pytest.raises(ValueError, match="one record"):
        split(history(3), max_bytes=100)
