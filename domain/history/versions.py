"""A profile's compressed history: a metadata row that lists immutable chunks. Each compaction replaces the whole row.

A version is a generation AND the id of the attempt that made it: two compactors that race from the same base may take
the same generation, and must never write to the same chunk.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.history.chunks.chunk import decode, decode_for_rewriting
from domain.history.chunks.layout import CorruptChunk, UnknownSchema
from schemas.events import ViewingRecord

UNREADABLE = (CorruptChunk, UnknownSchema)
Position = tuple[int, str]
"""A session's position in the history: ``listed_at`` (milliseconds) and its id. Neither changes with a request."""


def position(record: ViewingRecord) -> Position:
    return record.listed_at, record.playback_session_id


class Version(NamedTuple):
    generation: int
    """About microseconds since the epoch: it grows with every publish."""
    attempt: UUID


class ChunkId(NamedTuple):
    generation: int
    attempt: UUID
    n: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk as the metadata row lists it."""

    id: ChunkId
    first: Position
    last: Position
    records: int
    size: int
    """Bytes of the body."""
    checksum: int
    """CRC-32 of the body."""
    body: bytes | None = None
    """The body itself, if the chunk is small and the only one; then it is not in the table of chunks."""

    def covers(self, place: Position) -> bool:
        return self.first <= place <= self.last


@dataclass(frozen=True, slots=True)
class Metadata:
    version: Version
    chunks: tuple[Chunk, ...]
    """In the order of positions; their ranges do not overlap."""


def describe_chunk(id: ChunkId, records: Sequence[ViewingRecord], body: bytes) -> Chunk:
    """The metadata's entry for a chunk with these records, which are in the order of positions."""
    return Chunk(
        id=id,
        first=position(records[0]),
        last=position(records[-1]),
        records=len(records),
        size=len(body),
        checksum=zlib.crc32(body),
    )


def read_chunk(chunk: Chunk, body: bytes, profile_id: str, *, to_rewrite: bool = False) -> list[ViewingRecord]:
    """The records of a listed chunk, in the order of positions. Raises UNREADABLE.

    CorruptChunk also means that the body is not the one that was listed.
    """
    if zlib.crc32(body) != chunk.checksum:
        raise CorruptChunk(f"{chunk.id}: {len(body)} bytes do not have the checksum that the metadata lists")
    records = decode_for_rewriting(body, profile_id) if to_rewrite else decode(body, profile_id)
    if len(records) != chunk.records or (position(records[0]), position(records[-1])) != (chunk.first, chunk.last):
        raise CorruptChunk(f"{chunk.id}: other records than the metadata lists")
    return records
