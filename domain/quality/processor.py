"""What the quality worker does: goes on from each partition's checkpoint, folds its records, checkpoints.

Exactly once by position: a checkpoint says up to which offset it counted, and what Kafka delivers again is skipped.
Kafka is told of an offset only after the checkpoint, so it never knows of a later one.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Collection
from copy import copy
from time import perf_counter

import polars as pl
import structlog

from domain.clock import Clock
from domain.quality.fold import Fold
from domain.quality.ports import Checkpoints, QualityMetrics, Records, Shown
from domain.quality.state import State, decoded, encoded
from schemas.codec import BatchDecoder
from schemas.errors import InvalidEvent, TransientError

FUTURE_MS = 10 * 60 * 1000
"""A record that was received so long after now is none: it would carry the log's clock away with it."""
log = structlog.get_logger(__name__)


class Counting:
    """One worker's partitions. Calls may overlap."""

    def __init__(
        self, decoder: BatchDecoder, store: Checkpoints, metrics: QualityMetrics, timeout_ms: int, now: Clock
    ) -> None:
        self._decoder = decoder
        self._store = store
        self._metrics = metrics
        self._timeout_ms = timeout_ms
        self._now = now
        self._folds: dict[int, Fold] = {}
        self._stored: dict[int, int] = {}
        """Offset of each partition's checkpoint."""
        self._generation: int | None = None
        self._holding = asyncio.Lock()
        self._storing = asyncio.Lock()

    def durable(self, partition: int) -> int | None:
        """The next offset to read for whoever goes on from the checkpoint."""
        offset = self._stored.get(partition, -1)
        return offset + 1 if offset >= 0 else None

    async def hold(self, generation: int, partitions: Collection[int]) -> None:
        """These partitions are ours now. Of an earlier generation nothing is kept: another worker may have gone on.

        TransientError while the store is away.
        """
        async with self._holding:
            if generation != self._generation:
                for partition in self._folds:
                    if partition not in partitions:
                        self._metrics.hide(partition)
                self._folds, self._stored, self._generation = {}, {}, generation
            for partition in set(partitions) - set(self._folds):
                checkpoint = await self._store.load(partition)
                state = decoded(checkpoint) if checkpoint else State()
                self._folds[partition], self._stored[partition] = Fold(state, self._timeout_ms), state.offset
                self._show(partition, len(checkpoint or b""))
                log.info("goes on", partition=partition, offset=state.offset, sessions=len(state.sessions))

    async def decode(self, records: Records) -> pl.DataFrame:
        """The valid events among them, ``_index`` their position. TransientError while the registry is away."""
        # In a thread, since an unknown schema id asks the registry over HTTP.
        batch = await asyncio.to_thread(self._decoder.decode, "playback", records.payloads)
        future = batch.frame["received_at"] > self._now() + FUTURE_MS
        errors = [invalid.error for invalid in batch.invalid]
        errors += [InvalidEvent("received_in_future", "It says it was received later than now.")] * int(future.sum())
        for error in errors:
            self._metrics.skipped(records.topic, error.code)
        if errors:
            log.warning("skipped", events=len(errors), first=errors[0].code, reason=errors[0].reason)
        return batch.frame.filter(~future) if future.any() else batch.frame

    def fold(self, records: Records, events: pl.DataFrame) -> None:
        """Counts what is beyond the partition's position. TransientError for a partition that isn't held any more."""
        fold = self._folds.get(records.partition)
        if fold is None:
            raise TransientError("another worker has this partition now")
        counted = bisect_right(records.offsets, fold.state.offset)
        if counted == len(records.offsets):
            return
        if counted:
            events = events.filter(pl.col("_index") >= counted)
        missed = fold.state.missed
        fold.take(events, records.offsets[counted], records.offsets[-1])
        if fold.state.missed > missed:
            log.error("records left Kafka before they were counted", records=fold.state.missed - missed)

    async def checkpoint(self) -> None:
        """Stores every partition that has moved, then shows it. TransientError while the store is away."""
        async with self._storing:
            generation = self._generation
            for partition, fold in list(self._folds.items()):
                if fold.state.offset > self._stored[partition]:
                    await self._store_one(partition, fold)
                if generation != self._generation:
                    return

    async def _store_one(self, partition: int, fold: Fold) -> None:
        started, generation = perf_counter(), self._generation
        minutes, reports = fold.changes(), fold.telling.take()
        offset, clock, state = fold.state.offset, fold.state.clock, encoded(fold.state)
        shown = self._shown(fold, len(state))
        try:
            await self._store.save_minutes(partition, clock, minutes)
            await self._store.save_reports(reports)
            await self._store.save(partition, offset, state)
        except BaseException:
            fold.put_back(minutes)
            fold.telling.put_back(reports)
            raise
        if generation == self._generation:
            self._stored[partition] = offset
            self._metrics.show(partition, shown)
            self._metrics.saved(perf_counter() - started)

    def _show(self, partition: int, state_bytes: int) -> None:
        self._metrics.show(partition, self._shown(self._folds[partition], state_bytes))

    def _shown(self, fold: Fold, state_bytes: int) -> Shown:
        state = fold.state
        return Shown(
            totals={label: copy(figures) for label, figures in state.totals.items()},
            viewers=fold.viewers(),
            late=state.late,
            missed=state.missed,
            open_sessions=len(state.sessions),
            clock=state.clock,
            state_bytes=state_bytes,
        )
