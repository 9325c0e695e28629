"""Splits any number of records into chunks of bounded size."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.history.chunks.chunk import encode, in_order
from schemas.events import ViewingRecord

MAX_BYTES = 64 * 1024
_LEAST_BYTES = 16
"""Of a record; half of it is the random part of its session id."""
_MARGIN = 0.97


@dataclass(frozen=True, slots=True)
class Chunk:
    records: list[ViewingRecord]
    """In the order in which the body holds them."""
    body: bytes


def split(records: Sequence[ViewingRecord], max_bytes: int = MAX_BYTES) -> list[Chunk]:
    """One profile's sessions as chunks in their order, none larger than ``max_bytes``, all but the last nearly full.

    Raises ValueError if a single record is larger.
    """
    rest = in_order(records)
    chunks: list[Chunk] = []
    guess = max_bytes // _LEAST_BYTES
    while rest:
        chunk = _fill(rest[:guess], max_bytes)
        chunks.append(chunk)
        guess = len(chunk.records)  # the next records take about as much
        rest = rest[guess:]
    return chunks


def _fill(records: list[ViewingRecord], max_bytes: int) -> Chunk:
    """As many of the first records as fit."""
    while len(body := encode(records)) > max_bytes:
        if len(records) == 1:
            raise ValueError(f"one record takes {len(body)} bytes, a chunk at most {max_bytes}")
        records = records[: max(1, int(len(records) * _MARGIN * max_bytes / len(body)))]
    return Chunk(records, body)
