"""Whatever happens to a chunk's bytes is noticed."""

from random import Random

import pytest

from domain.history.chunks.chunk import decode, encode, read_header
from domain.history.chunks.layout import CorruptChunk, pack, unpack
from tests.support.histories import history

CHUNK = encode(history(50))


def test_any_flipped_bit_is_noticed() -> None:
    for bit in Random(5).choices(range(len(CHUNK) * 8), k=2_000):
        damaged = bytearray(CHUNK)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptChunk):
            decode(bytes(damaged), "ml-1")


def test_any_truncation_is_noticed() -> None:
    for length in range(len(CHUNK)):
        with pytest.raises(CorruptChunk):
            decode(CHUNK[:length], "ml-1")


def test_bytes_behind_the_end_are_noticed() -> None:
    with pytest.raises(CorruptChunk):
        decode(CHUNK + b"\x00", "ml-1")


def test_zeros_in_place_of_a_page_are_noticed() -> None:
    with pytest.raises(CorruptChunk):
        decode(CHUNK[:512] + bytes(512) + CHUNK[1024:], "ml-1")


def test_the_header_alone_is_not_believed() -> None:
    with pytest.raises(CorruptChunk):
        read_header(CHUNK[:-1] + bytes([CHUNK[-1] ^ 1]))


@pytest.mark.parametrize("column", range(1, 26))
def test_a_column_sealed_in_a_wrong_state_is_reported_as_damage(column: int) -> None:
    """Such bytes come from a faulty writer, not from a disk: their checksum is right."""
    header, columns = unpack(CHUNK)
    columns[column] = columns[column][: len(columns[column]) // 2]
    with pytest.raises(CorruptChunk):
        decode(pack(header, columns), "ml-1")
