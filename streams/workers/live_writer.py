"""What the history worker does with one batch: decode, keep the newest per session, write to LiveVH."""

import asyncio
import time
from collections.abc import Sequence
from time import perf_counter

import structlog

from domain.history.ports import LiveVHStore
from domain.history.viewing_record import Newest, newest_per_session
from domain.metrics import EVENT_VISIBLE, HISTORY_RECORDS, HISTORY_WRITE, SESSION_CONFLICTS, SKIPPED, Metrics
from schemas.batch import BatchDecoder
from schemas.errors import InvalidEvent
from schemas.events import ViewingRecord

log = structlog.get_logger(__name__)


class Recorder:
    """Invalid payloads are counted and passed over: the lake sink makes their dead letters."""

    def __init__(self, decoder: BatchDecoder, store: LiveVHStore, metrics: Metrics) -> None:
        self._decoder = decoder
        self._store = store
        self._metrics = metrics

    async def newest(self, topic: str, payloads: Sequence[bytes | None]) -> Newest:
        """TransientError while the registry is away."""
        # In a thread, since an unknown schema id asks the registry over HTTP.
        decoded = await asyncio.to_thread(self._decoder.decode, "playback", payloads)
        self._skip(topic, [invalid.error for invalid in decoded.invalid])
        newest = newest_per_session(decoded.frame)
        self._metrics.increment(SESSION_CONFLICTS, newest.conflicts)
        return newest

    async def write(self, topic: str, records: Sequence[ViewingRecord]) -> None:
        """TransientError while LiveVH is away; writing all of them again is harmless."""
        started = perf_counter()
        self._skip(topic, await self._store.write(records))
        self._metrics.increment(HISTORY_RECORDS, len(records))
        self._metrics.observe(HISTORY_WRITE, perf_counter() - started)
        now = time.time()
        for record in records:
            self._metrics.observe(EVENT_VISIBLE, max(0, now - record.event_time / 1000))

    def _skip(self, topic: str, errors: Sequence[InvalidEvent]) -> None:
        for error in errors:
            self._metrics.increment(SKIPPED, topic=topic, code=error.code)
        if errors:  # one line a batch: a flood of bad events must not become a flood of logs
            first = errors[0]
            log.warning("skipped", topic=topic, events=len(errors), first=first.code, reason=first.reason)
