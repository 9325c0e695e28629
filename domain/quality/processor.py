"""The quality worker: resumes from each partition's checkpoint, folds its records, and checkpoints again.

Exactly once by position: a checkpoint holds the offset up to which it counted, and redelivered records are skipped. An
offset is committed to Kafka only after its checkpoint, so Kafka's offset is never ahead.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Collection
from copy import copy
from dataclasses import replace
from time import perf_counter

import polars as pl
import structlog

from domain.clock import Clock
from domain.metrics import QUALITY_CHECKPOINT, SKIPPED, Metrics
from domain.quality.fold import Fold
from domain.quality.ports import CheckpointedMetrics, Checkpoints, QualitySnapshot, Records
from domain.quality.state import State, decoded, encoded
from schemas.batch import BatchDecoder
from schemas.errors import InvalidEvent, TransientError

FUTURE_MS = 10 * 60 * 1000
"""Skip records dated this far in the future: they would advance log time for everyone."""
QUIET_MS = 30 * 1000
"""A partition without a record for longer is quiet: its log time passes with the wall clock, by as much behind."""
log = structlog.get_logger(__name__)


class QualityProcessor:
    """One worker's partitions. Calls may overlap."""

    def __init__(
        self,
        decoder: BatchDecoder,
        store: Checkpoints,
        metrics: Metrics,
        published: CheckpointedMetrics,
        timeout_ms: int,
        now: Clock,
    ) -> None:
        self._decoder = decoder
        self._store = store
        self._metrics = metrics
        self._published = published
        self._timeout_ms = timeout_ms
        self._now = now
        self._folds: dict[int, Fold] = {}
        self._stored: dict[int, int] = {}
        """Offset of each partition's checkpoint."""
        self._heard: dict[int, tuple[int, int]] = {}
        """When each partition last gave a record or was assigned, by the wall clock, and its log time then."""
        self._snapshots: dict[int, QualitySnapshot] = {}
        """The last published ones."""
        self._generation: int | None = None
        self._assigning = asyncio.Lock()
        self._storing = asyncio.Lock()

    def committable_offset(self, partition: int) -> int | None:
        """The next offset to read for a worker that resumes from the checkpoint; None without one."""
        offset = self._stored.get(partition, -1)
        return offset + 1 if offset >= 0 else None

    async def assign(self, generation: int, partitions: Collection[int]) -> None:
        """Load the checkpoints of the partitions that this worker owns now.

        Nothing of an earlier generation is kept: another worker may have advanced. TransientError while the store is
        unavailable.
        """
        async with self._assigning:
            if generation != self._generation:
                for partition in self._folds:
                    if partition not in partitions:
                        self._published.withdraw(partition)
                self._folds, self._stored, self._generation = {}, {}, generation
            for partition in set(partitions) - set(self._folds):
                checkpoint = await self._store.load(partition)
                state = decoded(checkpoint) if checkpoint else State()
                self._folds[partition], self._stored[partition] = Fold(state, self._timeout_ms), state.offset
                self._heard[partition] = self._now(), state.log_time
                self._publish(partition, self._snapshot(partition, len(checkpoint or b"")))
                log.info("resumed", partition=partition, offset=state.offset, sessions=len(state.sessions))

    async def decode(self, records: Records) -> pl.DataFrame:
        """The valid events, ``_index`` being their position. TransientError while the registry is unavailable."""
        # In a thread, because an unknown schema id causes an HTTP request to the registry.
        batch = await asyncio.to_thread(self._decoder.decode, "playback", records.payloads)
        future = batch.frame["received_at"] > self._now() + FUTURE_MS
        errors = [invalid.error for invalid in batch.invalid]
        errors += [InvalidEvent("received_in_future", "The time of receipt is in the future.")] * int(future.sum())
        for error in errors:
            self._metrics.increment(SKIPPED, topic=records.topic, code=error.code)
        if errors:
            log.warning("skipped", events=len(errors), first=errors[0].code, reason=errors[0].reason)
        return batch.frame.filter(~future) if future.any() else batch.frame

    def fold(self, records: Records, events: pl.DataFrame) -> None:
        """Count the records after the partition's position. TransientError if the partition is no longer assigned."""
        fold = self._folds.get(records.partition)
        if fold is None:
            raise TransientError("another worker owns this partition now")
        counted = bisect_right(records.offsets, fold.state.offset)
        if counted == len(records.offsets):
            return
        if counted:
            events = events.filter(pl.col("_index") >= counted)
        missed = fold.state.missed
        fold.add(events, records.offsets[counted], records.offsets[-1])
        self._heard[records.partition] = self._now(), fold.state.log_time
        if fold.state.missed > missed:
            log.error("records expired in Kafka before they were counted", records=fold.state.missed - missed)

    async def store_many_reports(self, partition: int) -> None:
        """Store a partition's reports before its next checkpoint if there are many: a flood of sessions waits in Kafka
        and not in memory. TransientError while the store is unavailable."""
        async with self._storing:
            fold = self._folds.get(partition)
            if fold is None or not fold.support_updates.many:
                return
            reports = fold.support_updates.take()
            try:
                await self._store.save_reports(reports)
            except BaseException:
                fold.support_updates.put_back(reports)
                raise

    async def checkpoint(self) -> None:
        """Store the partitions that advanced, then publish them. TransientError while the store is unavailable."""
        async with self._storing:
            generation = self._generation
            for partition, fold in list(self._folds.items()):
                quiet = fold.state.offset >= 0 and fold.pass_time(self._log_time(partition) - QUIET_MS)
                if quiet or fold.state.offset > self._stored[partition]:
                    await self._store_one(partition, fold)
                if generation != self._generation:
                    return
                self._update_viewers(partition, fold)

    async def _store_one(self, partition: int, fold: Fold) -> None:
        started, generation = perf_counter(), self._generation
        minutes, reports = fold.changes(), fold.support_updates.take()
        offset, log_time, state = fold.state.offset, fold.state.log_time, encoded(fold.state)
        snapshot = self._snapshot(partition, len(state))
        try:
            await self._store.save_minutes(partition, log_time, minutes)
            await self._store.save_reports(reports)
            await self._store.save(partition, offset, log_time, state)
        except BaseException:
            fold.put_back(minutes)
            fold.support_updates.put_back(reports)
            raise
        if generation == self._generation:
            self._stored[partition] = offset
            self._publish(partition, snapshot)
            self._metrics.observe(QUALITY_CHECKPOINT, perf_counter() - started)

    def _log_time(self, partition: int) -> int:
        """Log time now: a partition that is quiet has nothing to tell it by, so it goes on by the wall clock. That of a
        worker that is behind does not, since it hears all the time."""
        heard_at, log_time = self._heard[partition]
        return log_time + max(self._now() - heard_at, 0)

    def _update_viewers(self, partition: int, fold: Fold) -> None:
        """Viewers leave a quiet partition between its checkpoints."""
        published, viewers = self._snapshots[partition], fold.viewers(self._log_time(partition))
        if viewers != published.viewers:
            self._publish(partition, replace(published, viewers=viewers))

    def _publish(self, partition: int, snapshot: QualitySnapshot) -> None:
        self._snapshots[partition] = snapshot
        self._published.publish(partition, snapshot)

    def _snapshot(self, partition: int, state_bytes: int) -> QualitySnapshot:
        fold = self._folds[partition]
        state = fold.state
        return QualitySnapshot(
            totals={label: copy(figures) for label, figures in state.totals.items()},
            viewers=fold.viewers(self._log_time(partition)),
            late=state.late,
            beyond=state.beyond,
            missed=state.missed,
            open_sessions=len(state.sessions),
            log_time=state.log_time,
            state_bytes=state_bytes,
            lossy_views=dict(state.lossy_views),
        )
