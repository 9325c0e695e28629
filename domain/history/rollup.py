"""What a compaction will do, decided on values: which records leave LiveVH, and which chunks they change."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.history.chunks.errors import CorruptChunk
from domain.history.chunks.split import MAX_BYTES, split
from domain.history.closed import is_closed
from domain.history.merge import merge
from domain.history.versions import Chunk, ChunkId, Metadata, Version, listed, opened, position
from schemas.events import ViewingRecord

INLINE_BYTES = 16_384
"""A chunk inside the metadata row travels through Paxos."""


@dataclass(frozen=True, slots=True)
class RollUpRules:
    keep_live: int = 20
    """So many of the newest sessions stay in LiveVH."""
    timeout_ms: int = 3_600_000
    """A session without news for so long is closed."""
    chunk_bytes: int = MAX_BYTES
    """No chunk is larger."""


def due(live: Sequence[ViewingRecord], now: int, rules: RollUpRules) -> list[ViewingRecord]:
    """The records that leave LiveVH, in the order of positions: closed, and not among the newest."""
    ordered = sorted(live, key=position)
    older = ordered[: max(0, len(ordered) - rules.keep_live)]
    return [record for record in older if is_closed(record, now, rules.timeout_ms)]


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where the records that are due belong."""

    into: Mapping[ChunkId, Sequence[ViewingRecord]]
    after: Sequence[ViewingRecord]
    """Newer than every chunk, and the last one is too full to be written again for them."""


def destinations(records: Sequence[ViewingRecord], chunks: Sequence[Chunk], chunk_bytes: int) -> Destinations:
    """Each record goes to the chunk whose range holds it, else to the one before it, else to the first.

    The last chunk takes what is newer while it is less than half full: a roll-up rewrites little, and a long
    history still has few chunks.
    """
    firsts = [chunk.first for chunk in chunks]
    into: dict[ChunkId, list[ViewingRecord]] = {}
    after: list[ViewingRecord] = []
    for record in records:
        place = position(record)
        if not chunks or (place > chunks[-1].last and chunks[-1].size >= chunk_bytes // 2):
            after.append(record)
        else:
            chunk = chunks[max(0, bisect_right(firsts, place) - 1)]
            into.setdefault(chunk.id, []).append(record)
    return Destinations(into, after)


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is not published yet."""

    metadata: Metadata
    bodies: Mapping[Chunk, bytes]
    """New chunks, to be stored before the metadata is published."""


class Drafting:
    """Makes the next version; chunks that stay the same are listed again, the others get keys nobody else has."""

    def __init__(self, profile_id: str, version: Version, chunk_bytes: int) -> None:
        self._profile_id = profile_id
        self._version = version
        self._chunk_bytes = chunk_bytes
        self._made: dict[Chunk, bytes] = {}

    def draft(
        self, chunks: Sequence[Chunk], held: Mapping[ChunkId, Sequence[ViewingRecord]], goal: Destinations
    ) -> Draft | None:
        """None if nothing changes. ``held``: the records of the chunks that others go into."""
        following: list[Chunk] = []
        for chunk in chunks:
            merged = _together(held[chunk.id], goal.into[chunk.id]) if chunk.id in goal.into else None
            following += self._rewritten(merged) if merged else [chunk]
        following += self._made_of(goal.after)
        if not self._made:
            return None
        if len(following) == 1 and following[0].size <= INLINE_BYTES:
            only = following[0]
            return Draft(Metadata(self._version, (replace(only, body=self._made[only]),)), {})
        return Draft(Metadata(self._version, tuple(following)), self._made)

    def _rewritten(self, records: Sequence[ViewingRecord]) -> list[Chunk]:
        """One chunk; or two of half the records, so that the next late one does not split it again."""
        if len(split(records, self._chunk_bytes)) == 1:
            return self._made_of(records)
        middle = len(records) // 2
        return self._made_of(records[:middle]) + self._made_of(records[middle:])

    def _made_of(self, records: Sequence[ViewingRecord]) -> list[Chunk]:
        """CorruptChunk if a chunk does not decode to what was encoded: then nothing must be deleted."""
        chunks: list[Chunk] = []
        for part in split(records, self._chunk_bytes):
            chunk = listed(ChunkId(*self._version, len(self._made)), part.records, part.body)
            if opened(chunk, part.body, self._profile_id) != part.records:
                raise CorruptChunk(f"{chunk.id}: it does not hold the records that were encoded")
            self._made[chunk] = part.body
            chunks.append(chunk)
        return chunks


def _together(held: Sequence[ViewingRecord], added: Sequence[ViewingRecord]) -> list[ViewingRecord] | None:
    """Both, in the order of positions. None if all that is added was there in this state or a newer one."""
    merged = sorted(merge(held, added), key=position)
    return None if merged == held else merged
