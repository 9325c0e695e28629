"""The quality worker: folds playback events, and commits offsets only after the checkpoint that covers them."""

from dataclasses import dataclass
from functools import partial

from domain.metrics import Metrics
from domain.quality.processor import QualityProcessor
from schemas.errors import TransientError
from streams.progress import count_retry
from streams.runtime.batches import Assignment, RawBatch, Revoked
from streams.runtime.retry import retry_transient

CHECKPOINT_S = 3.0
FETCH_WAIT_MS = 1_000
"""A record is not visible before the next checkpoint anyway."""


@dataclass(frozen=True, slots=True)
class QualityHandler:
    """``processor.committable_offset`` must be what the worker commits this topic by."""

    topic: str
    processor: QualityProcessor
    assignment: Assignment
    metrics: Metrics

    async def handle(self, batch: RawBatch, revoked: Revoked) -> None:
        """One batch of a partition after the other."""
        assign = partial(self._assign, batch.partition)
        await retry_transient(assign, revoked, count_retry(self.metrics, "load_checkpoint"))
        decode = partial(self.processor.decode, batch)
        events = await retry_transient(decode, revoked, count_retry(self.metrics, "decode"))
        if revoked():
            raise TransientError("another worker owns this partition now")
        self.processor.fold(batch, events)
        store_reports = partial(self.processor.store_many_reports, batch.partition)
        await retry_transient(store_reports, revoked, count_retry(self.metrics, "save_reports"))

    async def checkpoint(self) -> None:
        """Also loads newly assigned partitions: the metrics of a quiet partition must not be missing."""
        generation = self.assignment.generation

        def revoked() -> bool:
            return self.assignment.stopping or generation != self.assignment.generation

        try:
            await retry_transient(self._assign, revoked, count_retry(self.metrics, "load_checkpoint"))
            await retry_transient(self.processor.checkpoint, revoked, count_retry(self.metrics, "save_checkpoint"))
        except TransientError:
            return  # a rebalance: the next checkpoint follows

    async def _assign(self, *partitions: int) -> None:
        ours = self.assignment.partitions(self.topic)
        await self.processor.assign(self.assignment.generation, ours.union(partitions))
