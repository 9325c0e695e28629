"""The history processor: playback events into LiveVH, offsets committed only after the writes are acknowledged."""

from functools import partial

import faust

from domain.metrics import Metrics
from streams.progress import count_retry
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import in_place
from streams.workers.compaction_trigger import Overgrown
from streams.workers.live_writer import Recorder

FETCH_WAIT_MS = 100
"""A member waits for what this worker writes."""


def add_history_agent(app: faust.App, topic: str, recorder: Recorder, overgrown: Overgrown, metrics: Metrics) -> None:
    """Batches may be written in any order: the newest state stays whoever comes first."""

    async def record(batch: RawBatch, revoked: Revoked) -> None:
        decode = partial(recorder.newest, batch.topic, batch.payloads)
        newest = await in_place(decode, revoked, count_retry(metrics, "decode"))
        write = partial(recorder.write, batch.topic, newest.records)
        await in_place(write, revoked, count_retry(metrics, "write_live_vh"))
        await overgrown.notice(newest.starting)

    add_agent(app, topic, record, metrics)
