"""The quality worker: folds playback events, and commits offsets only after the checkpoint that covers them."""

from functools import partial

import faust

from domain.quality.processor import QualityProcessor
from schemas.errors import TransientError
from streams.ports import Metrics
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import retry_transient

CHECKPOINT_S = 3.0
FETCH_WAIT_MS = 1_000
"""A record is not visible before the next checkpoint anyway."""


def add_quality_agent(app: faust.App, topic: str, processor: QualityProcessor, metrics: Metrics) -> None:
    """``processor.committable_offset`` must be what the app commits this topic by."""

    async def assign(*partitions: int) -> None:
        ours = {tp.partition for tp in app.consumer.assignment() if tp.topic == topic}
        await processor.assign(app.consumer_generation_id, ours.union(partitions))

    async def count(batch: RawBatch, revoked: Revoked) -> None:
        await retry_transient(partial(assign, batch.partition), revoked, partial(metrics.retried, "load_checkpoint"))
        events = await retry_transient(partial(processor.decode, batch), revoked, partial(metrics.retried, "decode"))
        if revoked():
            raise TransientError("another worker owns this partition now")
        processor.fold(batch, events)

    async def checkpoint() -> None:
        """Also loads newly assigned partitions: the metrics of a quiet partition must not be missing."""
        generation = app.consumer_generation_id

        def revoked() -> bool:
            return app.should_stop or generation != app.consumer_generation_id

        try:
            await retry_transient(assign, revoked, partial(metrics.retried, "load_checkpoint"))
            await retry_transient(processor.checkpoint, revoked, partial(metrics.retried, "save_checkpoint"))
        except TransientError:
            return  # a rebalance: the next checkpoint follows

    add_agent(app, topic, count, metrics, at_once=1)
    app.timer(CHECKPOINT_S)(checkpoint)
