"""The quality worker: folds playback events, and commits offsets only after the checkpoint that covers them."""

from functools import partial

import faust

from domain.metrics import Metrics
from domain.quality.processor import QualityProcessor
from schemas.errors import TransientError
from streams.progress import count_retry
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import in_place

CHECKPOINT_S = 3.0
FETCH_WAIT_MS = 1_000
"""A record is not visible before the next checkpoint anyway."""


def add_quality_agent(app: faust.App, topic: str, processor: QualityProcessor, metrics: Metrics) -> None:
    """``processor.committable_offset`` must be what the app commits this topic by."""

    async def assign(*partitions: int) -> None:
        ours = {tp.partition for tp in app.consumer.assignment() if tp.topic == topic}
        await processor.assign(app.consumer_generation_id, ours.union(partitions))

    async def count(batch: RawBatch, revoked: Revoked) -> None:
        await in_place(partial(assign, batch.partition), revoked, count_retry(metrics, "load_checkpoint"))
        events = await in_place(partial(processor.decode, batch), revoked, count_retry(metrics, "decode"))
        if revoked():
            raise TransientError("another worker owns this partition now")
        processor.fold(batch, events)

    async def checkpoint() -> None:
        """Also loads newly assigned partitions: the metrics of a quiet partition must not be missing."""
        generation = app.consumer_generation_id

        def revoked() -> bool:
            return app.should_stop or generation != app.consumer_generation_id

        try:
            await in_place(assign, revoked, count_retry(metrics, "load_checkpoint"))
            await in_place(processor.checkpoint, revoked, count_retry(metrics, "save_checkpoint"))
        except TransientError:
            return  # a rebalance: the next checkpoint follows

    add_agent(app, topic, count, metrics, at_once=1)
    app.timer(CHECKPOINT_S)(checkpoint)
