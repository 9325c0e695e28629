"""Compaction of one profile: closed records move from LiveVH into CompressedVH. It may be killed at any point.

    read -> write chunks under a new version -> read them back -> publish the metadata by compare-and-set
         -> delete the live rows and set the marker, atomically -> delete chunks that no version lists

Why no crash and no race loses or doubles a record:

- A record is deleted from LiveVH only after a version that holds it was published, and only in the state that was
  rolled up: a state that arrived meanwhile is newer and survives. Until the delete, the record is in both stores, and
  ``merge`` shows it once.
- Chunks never change. Each attempt writes under its own keys, and one compare-and-set decides between attempts.
- A compare-and-set without an answer may still be applied later. It is repeated until the row carries another attempt
  than the base. If that attempt is ours, we won. If it is another one, ours can no longer be applied.
- Chunks are deleted only if their generation is at most that of a *published* version and the version does not list
  them. Every other attempt with such a generation started from a base that was replaced, so its compare-and-set must
  fail. Attempts on top of the published version have higher generations and reuse only chunks that it lists.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from time import perf_counter
from typing import Literal
from uuid import uuid4

import structlog

from domain.history.chunks.layout import CorruptChunk
from domain.history.live import LiveHistory, read_live
from domain.history.ports import CompressedVHStore, LiveMoves
from domain.history.rollup import RollUpRules, VersionBuilder, place_records, select_records
from domain.history.versions import UNREADABLE, Chunk, Metadata, Version, read_chunk
from domain.metrics import CHUNK_BYTES, COMPACTED_RECORDS, COMPACTION_SECONDS, COMPACTIONS, UNREADABLE_CHUNKS, Metrics
from schemas.errors import TooManyDeletions, TransientError
from schemas.events import ViewingRecord

DELETES = 1_000
"""Rows deleted in one batch."""
SETTLING_TRIES = 12
LONGEST_WAIT_S = 5.0

log = structlog.get_logger(__name__)


class Step(Enum):
    """The points that separate a compaction's effects."""

    READ = "read"
    CHUNK_WRITTEN = "chunk written"
    CHUNKS_VERIFIED = "chunks verified"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    MOVED = "moved"
    CLEANED = "cleaned"


Outcome = Literal["nothing due", "published", "unchanged", "lost", "damaged", "too many deletions"]
"""``unchanged``: the chunks held the records already. ``lost``: another compactor was faster. ``too many deletions``:
the profile cannot be read before Cassandra forgets what was deleted; other profiles do not wait for that."""


async def no_hook(_: Step) -> None: ...


@dataclass(frozen=True, slots=True)
class Compactor:
    live: LiveMoves
    compressed: CompressedVHStore
    metrics: Metrics
    rules: RollUpRules
    now: Callable[[], int]
    """Milliseconds since the epoch."""
    on_step: Callable[[Step], Awaitable[None]] = no_hook
    """Called when a step is reached."""
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def compact(self, profile_id: str) -> Outcome:
        """Roll up what is due. Raises TransientError while a store is unavailable; call it again at any time."""
        started = perf_counter()
        outcome, records = await self._compact(profile_id)
        log.info("compacted", profile=profile_id, outcome=outcome, records=records)
        self.metrics.increment(COMPACTIONS, outcome=outcome)
        self.metrics.increment(COMPACTED_RECORDS, records)
        self.metrics.observe(COMPACTION_SECONDS, perf_counter() - started)
        return outcome

    async def _compact(self, profile_id: str) -> tuple[Outcome, int]:
        """Part by part, those with the highest ids first: memory holds one part, whatever somebody has sent."""
        outcome: Outcome = "nothing due"
        before: str | None = None
        moved = 0
        while True:
            try:
                part, base = await asyncio.gather(
                    read_live(self.live, profile_id, self.rules.part, before), self.compressed.metadata(profile_id)
                )
                done, records = await self._compact_part(profile_id, part, base, newest=before is None)
            except TooManyDeletions as error:
                log.warning("profile not readable", profile=profile_id, reason=str(error))
                return "too many deletions", moved
            moved += records
            if done != "nothing due":
                outcome = done
            before = part.more_before
            if before is None or done in ("lost", "damaged"):
                return outcome, moved

    async def _compact_part(
        self, profile_id: str, part: LiveHistory, base: Metadata | None, *, newest: bool
    ) -> tuple[Outcome, int]:
        await self.on_step(Step.READ)
        rolled = select_records(part.records, self.now(), self.rules, newest=newest)
        published = base
        if rolled:
            try:
                new = await self.prepare(profile_id, base, rolled)
            except UNREADABLE as error:
                return await self._refuse(profile_id, base, error), 0
            if new is not None:
                if not await self.publish(profile_id, base, new):
                    return "lost", 0
                await self.on_step(Step.PUBLISHED)
                published = new
        if published is None:
            return "nothing due", 0
        await self._delete_rolled_up(profile_id, rolled, published, part.written_at)
        await self._clean_up(profile_id, published)
        if not rolled:
            return "nothing due", 0
        return "unchanged" if published is base else "published", len(rolled)

    async def prepare(self, profile_id: str, base: Metadata | None, rolled: Sequence[ViewingRecord]) -> Metadata | None:
        """The next version, with all its chunks written; None if the chunks hold the records already.

        Raises UNREADABLE when a chunk to be rewritten, or one that was just written, cannot be read.
        """
        held = base.chunks if base else ()
        placement = place_records(rolled, held, self.rules.chunk_bytes)
        records = {chunk.id: await self.records(profile_id, chunk) for chunk in held if chunk.id in placement.by_chunk}
        generation = max(base.version.generation + 1 if base else 0, self.now() * 1000)
        builder = VersionBuilder(profile_id, Version(generation, uuid4()), self.rules.chunk_bytes)
        draft = builder.build(held, records, placement)
        if draft is None:
            return None
        for chunk, body in draft.bodies.items():
            await self.compressed.put_chunk(profile_id, chunk.id, body)
            self.metrics.increment(CHUNK_BYTES, len(body))
            await self.on_step(Step.CHUNK_WRITTEN)
        for chunk in draft.bodies:
            await self.records(profile_id, chunk)
        await self.on_step(Step.CHUNKS_VERIFIED)
        return draft.metadata

    async def records(self, profile_id: str, chunk: Chunk) -> list[ViewingRecord]:
        """A listed chunk's. Raises UNREADABLE, also for a chunk that is gone."""
        body = chunk.body or await self.compressed.chunk(profile_id, chunk.id)
        if body is None:
            raise CorruptChunk(f"{chunk.id} is gone")
        return read_chunk(chunk, body, profile_id, to_rewrite=True)

    async def _refuse(self, profile_id: str, base: Metadata | None, error: Exception) -> Outcome:
        """An unreadable chunk is never replaced by one without its records; another compactor may have replaced it."""
        newest = await self.compressed.metadata_serial(profile_id)
        if newest != base:
            return "lost"
        self.metrics.increment(UNREADABLE_CHUNKS)
        version = base.version if base else None
        log.error("unreadable chunk, compaction refused", profile=profile_id, version=version, reason=str(error))
        return "damaged"

    async def publish(self, profile_id: str, base: Metadata | None, new: Metadata) -> bool:
        """Whether our version was published. Returns only when that can no longer change."""
        before = base.version if base else None
        await self.on_step(Step.PUBLISHING)
        for attempt in range(SETTLING_TRIES):
            try:
                current = await self.compressed.publish(profile_id, before, new)
            except TransientError as error:
                log.warning("publish without an answer", profile=profile_id, attempt=attempt, reason=str(error))
            else:
                if current != before:
                    return current == new.version
            await self.wait(min(LONGEST_WAIT_S, 0.1 * 2**attempt))
        # Our chunks stay, since the publish may still be applied. If not, a later compaction deletes them.
        raise TransientError("the outcome of the publish is unknown")

    async def _delete_rolled_up(
        self, profile_id: str, rolled: Sequence[ViewingRecord], published: Metadata, written_at: Mapping[str, int]
    ) -> None:
        for start in range(0, len(rolled), DELETES):
            part = rolled[start : start + DELETES]
            await self.live.delete_rolled_up(profile_id, part, published.version.generation, written_at)
            await self.on_step(Step.MOVED)

    async def _clean_up(self, profile_id: str, published: Metadata) -> None:
        in_use = {chunk.id for chunk in published.chunks}
        stored = await self.compressed.stored_chunks(profile_id, published.version.generation)
        orphans = [chunk for chunk in stored if chunk not in in_use]
        if orphans:
            await self.compressed.delete_chunks(profile_id, orphans)
        await self.on_step(Step.CLEANED)
