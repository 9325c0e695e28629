"""The history worker: playback events into LiveVH, and compaction of live histories that grew too long."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import structlog

from domain.clock import Clock
from domain.history.ports import CompactionRequests, LiveCounts, LiveVHStore
from domain.history.viewing_record import Newest, newest_per_session
from domain.metrics import EVENT_VISIBLE, HISTORY_RECORDS, HISTORY_WRITE, SESSION_CONFLICTS, Metrics
from schemas.batch import BatchDecoder
from schemas.errors import TooManyDeletions, TransientError
from schemas.events import CompactionRequest, ViewingRecord
from streams.decoding import decode_valid, skip
from streams.progress import count_retry
from streams.runtime.batches import RawBatch, Revoked
from streams.runtime.retry import retry_transient

FETCH_WAIT_MS = 100
"""A member waits for what this worker writes."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CompactionTrigger:
    """Requests the compaction of members who have too many live records.

    Rows are counted at a sample of session starts only: there is no state to keep, and a partition overshoots the
    threshold by about as many sessions as lie between two samples. A lost request is soon made again.
    """

    live: LiveCounts
    requests: CompactionRequests
    threshold: int
    """More live records than this are too many."""
    now: Clock

    async def check(self, profiles: Collection[str]) -> None:
        """Never fails: what is unavailable now is asked again later."""
        try:
            counts = await asyncio.gather(*map(self._count, profiles))
            requests = [
                CompactionRequest(profile_id=profile, requested_at=self.now(), live_records=count)
                for profile, count in zip(profiles, counts, strict=True)
                if count > self.threshold
            ]
            if requests:
                await asyncio.to_thread(self.requests.publish, requests)
        except TransientError as error:
            log.warning("no compaction requested", reason=str(error))

    async def _count(self, profile_id: str) -> int:
        """0 for a profile that cannot be counted for hours: the others do not wait for it."""
        try:
            return await self.live.count(profile_id, self.threshold + 1)
        except TooManyDeletions as error:
            log.warning("live records are not readable", profile=profile_id, reason=str(error))
            return 0


@dataclass(frozen=True, slots=True)
class LiveWriter:
    """Invalid payloads are counted and skipped: the lake sink makes their dead letters."""

    decoder: BatchDecoder
    store: LiveVHStore
    trigger: CompactionTrigger
    metrics: Metrics

    async def handle(self, batch: RawBatch, revoked: Revoked) -> None:
        """Returns when the writes are acknowledged. Batches may be written in any order: the newest state wins."""
        decode = partial(self.newest, batch.topic, batch.payloads)
        newest = await retry_transient(decode, revoked, count_retry(self.metrics, "decode"))
        write = partial(self.write, batch.topic, newest.records)
        await retry_transient(write, revoked, count_retry(self.metrics, "write_live_vh"))
        await self.trigger.check(newest.starting)

    async def newest(self, topic: str, payloads: Sequence[bytes | None]) -> Newest:
        """Raises TransientError while the registry is unavailable."""
        newest = newest_per_session(await decode_valid(self.decoder, "playback", topic, payloads, self.metrics))
        self.metrics.increment(SESSION_CONFLICTS, newest.conflicts)
        return newest

    async def write(self, topic: str, records: Sequence[ViewingRecord]) -> None:
        """Raises TransientError while LiveVH is unavailable; writing all records again is harmless."""
        started = perf_counter()
        skip(topic, await self.store.write(records), self.metrics)
        self.metrics.increment(HISTORY_RECORDS, len(records))
        self.metrics.observe(HISTORY_WRITE, perf_counter() - started)
        now = time.time()
        for record in records:
            self.metrics.observe(EVENT_VISIBLE, max(0, now - record.event_time / 1000))
