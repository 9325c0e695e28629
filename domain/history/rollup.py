"""What a compaction does, decided on values: which records leave LiveVH, and which chunks they change."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.history.chunks.layout import CorruptChunk
from domain.history.chunks.split import MAX_BYTES, split
from domain.history.merge import merge
from domain.history.versions import Chunk, ChunkId, Metadata, Version, describe_chunk, position, read_chunk
from schemas.events import ViewingRecord

INLINE_BYTES = 16_384
"""A chunk inside the metadata row goes through Paxos."""
FINAL_EVENTS = frozenset({"stopped", "ended"})


@dataclass(frozen=True, slots=True)
class RollUpRules:
    keep_live: int = 20
    """How many of the newest sessions stay in LiveVH."""
    timeout_ms: int = 3_600_000
    """A session without an event for this long is closed."""
    chunk_bytes: int = MAX_BYTES
    """The largest size of a chunk."""
    max_live: int = 1_000
    """How many stay in LiveVH at most, open ones included: it is read in full, by every reader."""

    @property
    def part(self) -> int:
        """How many records are rolled up at once: a giant profile is moved in parts, each with a version."""
        return 2 * max(self.max_live, self.keep_live)


def is_closed(record: ViewingRecord, now: int, timeout_ms: int) -> bool:
    """Whether a session is over: its newest event says so, or was received more than ``timeout_ms`` before ``now``.

    If it reports again, it is open again; nothing breaks.
    """
    return record.event_type in FINAL_EVENTS or record.error_fatal or now - record.received_at > timeout_ms


def select_records(
    live: Sequence[ViewingRecord], now: int, rules: RollUpRules, *, newest: bool = True
) -> list[ViewingRecord]:
    """The records to roll up, in the order of positions: closed, and not among the newest.

    Beyond ``max_live`` records the oldest are rolled up even if they are open. One that reports again has a row again,
    which a later roll-up merges. ``newest``: false for a part of a history that has ``part`` newer records.
    """
    ordered = sorted(live, key=position)
    if not newest:
        return ordered
    most = max(rules.max_live, rules.keep_live)
    too_many, older = ordered[:-most], ordered[-most : -rules.keep_live or None]
    return too_many + [record for record in older if is_closed(record, now, rules.timeout_ms)]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the rolled-up records go."""

    by_chunk: Mapping[ChunkId, Sequence[ViewingRecord]]
    """Records that are merged into existing chunks."""
    new: Sequence[ViewingRecord]
    """Newer than every chunk, and the last chunk is too full to be rewritten for them."""


def place_records(records: Sequence[ViewingRecord], chunks: Sequence[Chunk], chunk_bytes: int) -> Placement:
    """Each record goes to the chunk whose range holds it, else to the chunk before it, else to the first.

    The last chunk takes newer records while it is less than half full: a roll-up rewrites little, and a long history
    still has few chunks.
    """
    firsts = [chunk.first for chunk in chunks]
    by_chunk: dict[ChunkId, list[ViewingRecord]] = {}
    new: list[ViewingRecord] = []
    for record in records:
        place = position(record)
        if not chunks or (place > chunks[-1].last and chunks[-1].size >= chunk_bytes // 2):
            new.append(record)
        else:
            chunk = chunks[max(0, bisect_right(firsts, place) - 1)]
            by_chunk.setdefault(chunk.id, []).append(record)
    return Placement(by_chunk, new)


@dataclass(frozen=True, slots=True)
class Draft:
    """A version before it is published."""

    metadata: Metadata
    bodies: Mapping[Chunk, bytes]
    """New chunks, to be written before the metadata is published."""


class VersionBuilder:
    """Builds the next version: it lists unchanged chunks again; changed ones get keys that no other attempt uses."""

    def __init__(self, profile_id: str, version: Version, chunk_bytes: int) -> None:
        self._profile_id = profile_id
        self._version = version
        self._chunk_bytes = chunk_bytes
        self._made: dict[Chunk, bytes] = {}

    def build(
        self, chunks: Sequence[Chunk], held: Mapping[ChunkId, Sequence[ViewingRecord]], placement: Placement
    ) -> Draft | None:
        """None if nothing changes. ``held``: the records of the chunks that others are merged into."""
        following: list[Chunk] = []
        for chunk in chunks:
            added = placement.by_chunk.get(chunk.id)
            merged = _merge(held[chunk.id], added) if added else None
            following += self._rewritten(merged) if merged else [chunk]
        following += self._encode(placement.new)
        if not self._made:
            return None
        if len(following) == 1 and following[0].size <= INLINE_BYTES:
            only = following[0]
            return Draft(Metadata(self._version, (replace(only, body=self._made[only]),)), {})
        return Draft(Metadata(self._version, tuple(following)), self._made)

    def _rewritten(self, records: Sequence[ViewingRecord]) -> list[Chunk]:
        """One chunk; or two of half the records, so that the next late record does not split it again."""
        if len(split(records, self._chunk_bytes)) == 1:
            return self._encode(records)
        middle = len(records) // 2
        return self._encode(records[:middle]) + self._encode(records[middle:])

    def _encode(self, records: Sequence[ViewingRecord]) -> list[Chunk]:
        """Raises CorruptChunk if a chunk does not decode to what was encoded: then nothing may be deleted."""
        chunks: list[Chunk] = []
        for part in split(records, self._chunk_bytes):
            chunk = describe_chunk(ChunkId(*self._version, len(self._made)), part.records, part.body)
            if read_chunk(chunk, part.body, self._profile_id) != part.records:
                raise CorruptChunk(f"{chunk.id}: decodes to other records than were encoded")
            self._made[chunk] = part.body
            chunks.append(chunk)
        return chunks


def _merge(held: Sequence[ViewingRecord], added: Sequence[ViewingRecord]) -> list[ViewingRecord] | None:
    """Both, in the order of positions. None if ``held`` has every added record, in this state or a newer one."""
    merged = sorted(merge(held, added), key=position)
    return None if merged == held else merged
