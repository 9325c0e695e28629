"""The loop that every agent of ours is: take a batch, do all of it, acknowledge it."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, cast

import faust
import structlog
from faust.streams import Stream
from faust.types import StreamT

from schemas.errors import TransientError
from streams.ports import Metrics
from streams.runtime.batch_transport import RawBatch

log = structlog.get_logger(__name__)
Revoked = Callable[[], bool]
"""True once the batch is no longer ours: another worker has it, or we stop."""
BATCHES_AT_ONCE = 4
"""While one waits for a store, others are decoded. Only the acknowledged prefix is committed."""


def add_agent(
    app: faust.App,
    topic: str,
    process: Callable[[RawBatch, Revoked], Awaitable[None]],
    metrics: Metrics,
    at_once: int = BATCHES_AT_ONCE,
) -> None:
    """``process`` returns when the batch is done for good; TransientError when it was revoked meanwhile.

    Batches done one ``at_once`` come in the order of their partition.
    """
    channel = app.topic(topic, key_serializer="raw", value_serializer="raw")

    @app.agent(channel, concurrency=at_once, name=process.__name__)
    async def agent(stream: StreamT[Any]) -> None:
        # `noack`, because Faust would acknowledge after an exception too; a batch that isn't done never is.
        async for event in cast(Stream[Any], stream).noack().events():
            batch, message = cast(RawBatch, event.value), event.message

            def revoked(generation: int = message.generation_id) -> bool:
                return app.should_stop or generation != app.consumer_generation_id

            metrics.consumed(batch.topic, len(batch.payloads))
            started = perf_counter()
            try:
                with structlog.contextvars.bound_contextvars(partition=batch.partition, offset=batch.offsets[-1]):
                    await process(batch, revoked)
            except TransientError:
                log.info("abandoned", partition=batch.partition, offset=batch.offsets[-1])
            except Exception as error:
                await app.crash(error)
                raise
            else:
                metrics.batch_done(perf_counter() - started)
                metrics.processed(batch.topic, batch.partition, batch.appended)
                event.ack()
