"""The history processor: playback events into LiveVH, offsets committed only after the writes are acknowledged."""

from functools import partial
from typing import Any, cast

import faust
import structlog
from faust.streams import Stream
from faust.types import EventT, StreamT

from schemas.errors import TransientError
from streams.engine.batch_transport import RawBatch
from streams.engine.retry import in_place
from streams.history.recording import Recorder
from streams.ports import HistoryMetrics

log = structlog.get_logger(__name__)
BATCHES_AT_ONCE = 4
"""While one waits for LiveVH, others are decoded. Their order doesn't matter: the newest state stays whoever comes
first, and only the acknowledged prefix is committed."""


def add_history_agent(app: faust.App, topic: str, recorder: Recorder, metrics: HistoryMetrics) -> None:
    channel = app.topic(topic, key_serializer="raw", value_serializer="raw")

    @app.agent(channel, concurrency=BATCHES_AT_ONCE, name="history")
    async def history(stream: StreamT[Any]) -> None:
        # `noack`, because Faust would acknowledge after an exception too; a batch that isn't written never is.
        async for event in cast(Stream[Any], stream).noack().events():
            try:
                await _record(event, app, recorder, metrics)
            except TransientError:
                log.info("abandoned", partition=event.message.partition, offset=event.message.offset)
            except Exception as error:
                await app.crash(error)
                raise
            else:
                event.ack()


async def _record(event: EventT[Any], app: faust.App, recorder: Recorder, metrics: HistoryMetrics) -> None:
    """Returns when every record is written; TransientError when the batch was revoked meanwhile."""
    batch = cast(RawBatch, event.value)
    metrics.taken(batch.topic, len(batch.payloads))

    def revoked() -> bool:
        return app.should_stop or event.message.generation_id != app.consumer_generation_id

    with structlog.contextvars.bound_contextvars(partition=batch.partition, offset=batch.last_offset):
        decode = partial(recorder.newest, batch.topic, batch.payloads)
        records = await in_place(decode, revoked, partial(metrics.retried, "decode"))
        write = partial(recorder.write, batch.topic, records)
        await in_place(write, revoked, partial(metrics.retried, "write_live_vh"))
    metrics.processed(batch.topic, batch.partition, batch.last_timestamp_ms)
