"""What the history worker does with one batch: decode, keep the newest per session, write to LiveVH."""

import asyncio
from collections.abc import Sequence
from time import perf_counter

import structlog

from domain.history.ports import LiveVHStore
from domain.history.viewing_record import Newest, newest_per_session
from schemas.codec import BatchDecoder
from schemas.errors import InvalidEvent
from schemas.events import ViewingRecord
from streams.ports import HistoryMetrics

log = structlog.get_logger(__name__)


class LiveWriter:
    """Invalid payloads are counted and passed over: the lake sink makes their dead letters."""

    def __init__(self, decoder: BatchDecoder, store: LiveVHStore, metrics: HistoryMetrics) -> None:
        self._decoder = decoder
        self._store = store
        self._metrics = metrics

    async def newest(self, topic: str, payloads: Sequence[bytes | None]) -> Newest:
        """TransientError while the registry is away."""
        # In a thread, since an unknown schema id asks the registry over HTTP.
        decoded = await asyncio.to_thread(self._decoder.decode, "playback", payloads)
        self._skip(topic, [invalid.error for invalid in decoded.invalid])
        newest = newest_per_session(decoded.frame)
        self._metrics.conflicts(newest.conflicts)
        return newest

    async def write(self, topic: str, records: Sequence[ViewingRecord]) -> None:
        """TransientError while LiveVH is away; writing all of them again is harmless."""
        started = perf_counter()
        self._skip(topic, await self._store.write(records))
        self._metrics.wrote(len(records), perf_counter() - started)
        self._metrics.visible(record.event_time for record in records)

    def _skip(self, topic: str, errors: Sequence[InvalidEvent]) -> None:
        for error in errors:
            self._metrics.skipped(topic, error.code)
        if errors:  # one line a batch: a flood of bad events must not become a flood of logs
            first = errors[0]
            log.warning("skipped", topic=topic, events=len(errors), first=first.code, reason=first.reason)
