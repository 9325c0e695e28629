"""The merged read: LiveVH and CompressedVH as one history.

Records only move from LiveVH to CompressedVH, and a row's delete becomes visible together with the marker that names
the generation holding the record. Both stores can therefore be read concurrently, and nothing is missed as long as the
metadata is not older than the marker. If it is older, or if a chunk was deleted by a newer compaction, the metadata is
read again at SERIAL consistency. A read usually takes two steps: {live, metadata}, then all chunks concurrently.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from domain.history.live import LiveHistory, read_live
from domain.history.paging import Page, PagePlan, decode_cursor, newest_first, page, plan_page
from domain.history.ports import CompressedReads, LiveReads
from domain.history.turns import Turns
from domain.history.versions import UNREADABLE, Chunk, ChunkId, Metadata, position, read_chunk
from domain.metrics import HISTORY_READ_RETRIES, UNREADABLE_CHUNKS, Metrics
from schemas.errors import TransientError
from schemas.events import ViewingRecord

ROUNDS = 4
"""How often compactions may overtake one read."""
EXPORT_PAGE = 2_000
MOST_LIVE = 2_000
"""Live records that a page or a bounded read takes into account. A roll-up is due long before: a profile that has more
has just sent them, and gets an incomplete answer until they are rolled up."""
RECENT_SESSIONS = 500
"""Enough for months of anybody's viewing, and usually one chunk: see docs/decisions/0019."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FullHistory:
    """A profile's whole history, newest session first."""

    records: list[ViewingRecord]
    complete: bool
    """False when a part could not be read."""
    live: int
    """Records read from LiveVH, including old states of sessions in chunks."""
    compressed: int
    """Records read from CompressedVH."""


@dataclass(frozen=True, slots=True)
class RecentHistory:
    """A profile's newest sessions, newest first."""

    records: list[ViewingRecord]
    complete: bool
    """False when a part of them could not be read."""
    older: bool
    """Whether older sessions were left out."""
    live: int
    """Records in LiveVH, including old states of sessions in chunks."""
    compressed: int
    """Records in CompressedVH, read or not."""


Answers = dict[ChunkId, list[ViewingRecord] | Exception | None]
"""The answer for each chunk: its records, the error, or None if it was deleted."""


@dataclass(frozen=True, slots=True)
class _Found:
    live: Sequence[ViewingRecord]
    compressed: list[ViewingRecord]
    """In the order of positions."""
    listed: int
    """Records of all chunks that the metadata lists."""
    plan: PagePlan
    complete: bool

    @property
    def newest_first(self) -> list[ViewingRecord]:
        return newest_first(self.compressed, self.live)


Plan = Callable[[Sequence[Chunk], Sequence[ViewingRecord]], PagePlan]
"""Chooses from the listed chunks, knowing the live records."""


@dataclass(frozen=True, slots=True)
class HistoryReader:
    live: LiveReads
    compressed: CompressedReads
    metrics: Metrics
    turns: Turns = field(default_factory=Turns)

    async def page(self, profile_id: str, limit: int, cursor: str | None = None) -> Page:
        """Up to ``limit`` sessions after the cursor. Raises TransientError, and ValueError for an invalid cursor.

        Each session has its newest state among the live records and the chunks of this page. Only a session that a
        client gave two starts, both rolled up, can be on a later page again; the first one is the newer.
        """
        older_than = decode_cursor(cursor) if cursor else None
        found = await self._bounded(profile_id, lambda chunks, live: plan_page(chunks, live, limit, older_than))
        return page(found.newest_first, limit, found.plan, complete=found.complete)

    async def read_recent(
        self, profile_id: str, limit: int = RECENT_SESSIONS, since: int | None = None
    ) -> RecentHistory:
        """The newest ``limit`` sessions, of those that started at ``since`` (ms) or later. Raises TransientError.

        Chunks are read from the newest backwards until the bound is reached, never the whole history. Nothing within
        the bound is missed: LiveVH is read in full, or the answer says that it is incomplete, and a session that is not
        there is in a listed chunk whose range is in the metadata. A client that gives
        sessions two starts may get fewer than ``limit``.
        """
        found = await self._bounded(profile_id, lambda chunks, live: plan_page(chunks, live, limit, since=since))
        newest = [record for record in found.newest_first if found.plan.covers(position(record))]
        records = [record for record in newest[:limit] if since is None or record.listed_at >= since]
        older = found.plan.newer_than is not None or len(newest) > len(records)
        return RecentHistory(records, found.complete, older, len(found.live), found.listed)

    async def read_all(self, profile_id: str) -> FullHistory:
        """Without a bound: for jobs, not for clients. Raises TransientError."""
        found = await self._read(profile_id, lambda chunks, _: PagePlan(chunks), None)
        return FullHistory(found.newest_first, found.complete, len(found.live), len(found.compressed))

    async def export(self, profile_id: str) -> AsyncIterator[Page]:
        """The whole history page by page: memory holds a few chunks and all session ids."""
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            part = await self.page(profile_id, EXPORT_PAGE, cursor)
            # Of a session with two starts the first one is the newer: see `page`.
            yield replace(part, items=[record for record in part.items if record.playback_session_id not in seen])
            seen.update(record.playback_session_id for record in part.items)
            if (cursor := part.next_cursor) is None:
                return

    async def _bounded(self, profile_id: str, plan_for: Plan) -> _Found:
        """Of a client: it takes a turn, and not everything that a giant profile has."""
        async with self.turns.of(profile_id):
            return await self._read(profile_id, plan_for, MOST_LIVE)

    async def _read(self, profile_id: str, plan_for: Plan, most_live: int | None) -> _Found:
        partition, metadata = await asyncio.gather(
            read_live(self.live, profile_id, most_live), self.compressed.metadata(profile_id)
        )
        if _is_older(metadata, partition):
            self.metrics.increment(HISTORY_READ_RETRIES, reason="newer marker")
            metadata = await self.compressed.metadata_serial(profile_id)
        answers: Answers = {}
        for _ in range(ROUNDS):
            plan = plan_for(metadata.chunks if metadata else (), partition.records)
            await self._fetch(profile_id, plan.chunks, answers)
            if all(answers[chunk.id] is not None for chunk in plan.chunks):
                break
            newest = await self.compressed.metadata_serial(profile_id)
            if newest == metadata:
                break
            self.metrics.increment(HISTORY_READ_RETRIES, reason="chunk gone")
            metadata = newest
        complete = partition.more_before is None
        if not complete:
            log.warning("live history cut", profile=profile_id, records=len(partition.records))
        if _is_older(metadata, partition):
            complete = False
            self._alarm(profile_id, metadata, "metadata older than the live partition's marker")
        records: list[ViewingRecord] = []
        for chunk in sorted(plan.chunks, key=lambda chunk: chunk.first):
            answer = answers[chunk.id]
            if isinstance(answer, list):
                records += answer
                continue
            complete = False
            if isinstance(answer, TransientError):
                log.warning("chunk not read", profile=profile_id, reason=str(answer))
            else:
                self._alarm(profile_id, metadata, str(answer or f"{chunk.id} is gone"))
        listed = sum(chunk.records for chunk in metadata.chunks) if metadata else 0
        return _Found(partition.records, records, listed, plan, complete)

    async def _fetch(self, profile_id: str, chunks: Sequence[Chunk], answers: Answers) -> None:
        """Fetch missing chunks concurrently; each is decoded while others are in flight."""
        missing = [chunk for chunk in chunks if chunk.id not in answers]
        found = await asyncio.gather(*(self._records(profile_id, chunk) for chunk in missing))
        answers.update({chunk.id: answer for chunk, answer in zip(missing, found, strict=True)})

    async def _records(self, profile_id: str, chunk: Chunk) -> list[ViewingRecord] | Exception | None:
        try:
            body = chunk.body or await self.compressed.chunk(profile_id, chunk.id)
            return read_chunk(chunk, body, profile_id) if body is not None else None
        except (TransientError, *UNREADABLE) as error:
            return error

    def _alarm(self, profile_id: str, metadata: Metadata | None, reason: str) -> None:
        self.metrics.increment(UNREADABLE_CHUNKS)
        log.error("history incomplete", profile=profile_id, version=metadata and metadata.version, reason=reason)


def _is_older(metadata: Metadata | None, partition: LiveHistory) -> bool:
    marker = partition.compacted_generation
    return marker is not None and (metadata is None or metadata.version.generation < marker)
