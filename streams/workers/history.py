"""The history processor: playback events into LiveVH, offsets committed only after the writes are acknowledged."""

from functools import partial

import faust

from streams.ports import HistoryMetrics
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import retry_transient
from streams.workers.compaction_trigger import CompactionTrigger
from streams.workers.live_writer import LiveWriter

FETCH_WAIT_MS = 100
"""A member waits for what this worker writes."""


def add_history_agent(
    app: faust.App, topic: str, recorder: LiveWriter, overgrown: CompactionTrigger, metrics: HistoryMetrics
) -> None:
    """Batches may be written in any order: the newest state stays whoever comes first."""

    async def record(batch: RawBatch, revoked: Revoked) -> None:
        decode = partial(recorder.newest, batch.topic, batch.payloads)
        newest = await retry_transient(decode, revoked, partial(metrics.retried, "decode"))
        write = partial(recorder.write, batch.topic, newest.records)
        await retry_transient(write, revoked, partial(metrics.retried, "write_live_vh"))
        await overgrown.check(newest.starting)

    add_agent(app, topic, record, metrics)
