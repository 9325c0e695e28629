"""The merged read: LiveVH and CompressedVH as one history.

Records only ever move from LiveVH to CompressedVH, and a row's delete becomes visible together with the marker that
names the generation holding it. So both stores are read at the same time, and nothing is missed as long as the
metadata is not older than the marker. Where it is, or where a chunk is gone because a newer compaction cleaned up,
the metadata is read again, for certain. Usually that makes two steps: {live, metadata}, then all chunks at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from domain.history.paging import Page, cut, newest_first, page
from domain.history.ports import CompressedReads, LivePartition, LiveReads, ReadMetrics
from domain.history.versions import UNREADABLE, Chunk, ChunkId, Metadata, opened
from schemas.errors import TransientError
from schemas.events import ViewingRecord

ROUNDS = 4
"""So often compactions may overtake one read."""
EXPORT_PAGE = 2_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FullHistory:
    """A profile's whole history, newest session first."""

    records: list[ViewingRecord]
    complete: bool
    """False when a part could not be read."""
    live: int
    """So many records came from LiveVH; an old state of a session in a chunk is one of them."""
    compressed: int
    """So many came from CompressedVH."""


Answers = dict[ChunkId, list[ViewingRecord] | Exception | None]
"""What came of each chunk: its records, why they can't be read, or that it is gone."""


@dataclass(frozen=True, slots=True)
class _Found:
    live: Sequence[ViewingRecord]
    compressed: list[ViewingRecord]
    """In the order of positions."""
    complete: bool


@dataclass(frozen=True, slots=True)
class HistoryReader:
    live: LiveReads
    compressed: CompressedReads
    metrics: ReadMetrics

    async def page(self, profile_id: str, limit: int, cursor: str | None = None) -> Page:
        """Up to ``limit`` sessions after the cursor. ValueError for a strange cursor, TransientError.

        Each session is in its newest state of all that was read: of the live records and the chunks of this page. Only
        one that a client gave two starts, both rolled up, can be on a later page again; the first is the newer one.
        """
        part = cut((), (), limit, cursor)

        def needed(chunks: Sequence[Chunk], live: Sequence[ViewingRecord]) -> Sequence[Chunk]:
            nonlocal part
            part = cut(chunks, live, limit, cursor)
            return part.chunks

        found = await self._read(profile_id, needed)
        return page(newest_first(found.compressed, found.live), limit, part, complete=found.complete)

    async def read_all(self, profile_id: str) -> FullHistory:
        """Raises TransientError."""
        found = await self._read(profile_id, lambda chunks, _: chunks)
        records = newest_first(found.compressed, found.live)
        return FullHistory(records, found.complete, len(found.live), len(found.compressed))

    async def export(self, profile_id: str) -> AsyncIterator[Page]:
        """The whole history page by page, so that no more than a few chunks and all session ids are in memory."""
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            part = await self.page(profile_id, EXPORT_PAGE, cursor)
            # The first of a session with two starts is the newer one: see `page`.
            yield replace(part, items=[record for record in part.items if record.playback_session_id not in seen])
            seen.update(record.playback_session_id for record in part.items)
            if (cursor := part.next_cursor) is None:
                return

    async def _read(
        self, profile_id: str, needed: Callable[[Sequence[Chunk], Sequence[ViewingRecord]], Sequence[Chunk]]
    ) -> _Found:
        """``needed`` chooses from the listed chunks, knowing the live records."""
        partition, metadata = await asyncio.gather(self.live.read(profile_id), self.compressed.metadata(profile_id))
        if _is_older(metadata, partition):
            self.metrics.read_again("newer marker")
            metadata = await self.compressed.metadata_serial(profile_id)
        answers: Answers = {}
        for _ in range(ROUNDS):
            chunks = needed(metadata.chunks if metadata else (), partition.records)
            await self._fetch(profile_id, chunks, answers)
            if all(answers[chunk.id] is not None for chunk in chunks):
                break
            newest = await self.compressed.metadata_serial(profile_id)
            if newest == metadata:
                break
            self.metrics.read_again("chunk gone")
            metadata = newest
        complete = not _is_older(metadata, partition)
        if not complete:
            self._alarm(profile_id, metadata, "metadata older than the live partition's marker")
        records: list[ViewingRecord] = []
        for chunk in sorted(chunks, key=lambda chunk: chunk.first):
            answer = answers[chunk.id]
            if isinstance(answer, list):
                records += answer
                continue
            complete = False
            if isinstance(answer, TransientError):
                log.warning("chunk not read", profile=profile_id, reason=str(answer))
            else:
                self._alarm(profile_id, metadata, str(answer or f"{chunk.id} is gone"))
        return _Found(partition.records, records, complete)

    async def _fetch(self, profile_id: str, chunks: Sequence[Chunk], answers: Answers) -> None:
        """Ask for what was not asked for yet, all at once; each chunk is decoded while others are on their way."""
        missing = [chunk for chunk in chunks if chunk.id not in answers]
        found = await asyncio.gather(*(self._records(profile_id, chunk) for chunk in missing))
        answers.update({chunk.id: answer for chunk, answer in zip(missing, found, strict=True)})

    async def _records(self, profile_id: str, chunk: Chunk) -> list[ViewingRecord] | Exception | None:
        try:
            body = chunk.body or await self.compressed.chunk(profile_id, chunk.id)
            return opened(chunk, body, profile_id) if body is not None else None
        except (TransientError, *UNREADABLE) as error:
            return error

    def _alarm(self, profile_id: str, metadata: Metadata | None, reason: str) -> None:
        self.metrics.unreadable_chunk()
        log.error("history incomplete", profile=profile_id, version=metadata and metadata.version, reason=reason)


def _is_older(metadata: Metadata | None, partition: LivePartition) -> bool:
    marker = partition.compacted_generation
    return marker is not None and (metadata is None or metadata.version.generation < marker)
