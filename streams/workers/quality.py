"""The quality processor: playback events into figures, offsets committed only after the checkpoint that has them."""

from functools import partial

import faust

from domain.quality.processor import Counting
from schemas.errors import TransientError
from streams.ports import Metrics
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import in_place

CHECKPOINT_S = 3.0
FETCH_WAIT_MS = 1_000
"""Nothing is seen of a record before the next checkpoint."""


def add_quality_agent(app: faust.App, topic: str, counting: Counting, metrics: Metrics) -> None:
    """``counting.durable`` must be what the app commits this topic by."""

    async def hold(*partitions: int) -> None:
        ours = {tp.partition for tp in app.consumer.assignment() if tp.topic == topic}
        await counting.hold(app.consumer_generation_id, ours.union(partitions))

    async def count(batch: RawBatch, revoked: Revoked) -> None:
        await in_place(partial(hold, batch.partition), revoked, partial(metrics.retried, "load_checkpoint"))
        events = await in_place(partial(counting.decode, batch), revoked, partial(metrics.retried, "decode"))
        if revoked():
            raise TransientError("another worker has this partition now")
        counting.fold(batch, events)

    async def checkpoint() -> None:
        """Also loads what was assigned: a quiet partition's counters must not be missing."""
        generation = app.consumer_generation_id

        def revoked() -> bool:
            return app.should_stop or generation != app.consumer_generation_id

        try:
            await in_place(hold, revoked, partial(metrics.retried, "load_checkpoint"))
            await in_place(counting.checkpoint, revoked, partial(metrics.retried, "save_checkpoint"))
        except TransientError:
            return  # the partitions were shared out anew: there will be another one

    add_agent(app, topic, count, metrics, at_once=1)
    app.timer(CHECKPOINT_S)(checkpoint)
