"""The compaction processor: requests, keyed by profile, into roll-ups. Repeating one is harmless."""

from functools import partial

import faust

from domain.history.compaction import Compactor
from schemas.errors import TransientError
from streams.ports import Metrics
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import retry_transient
from streams.workers.compaction_requests import Requests

FETCH_WAIT_MS = 1_000
"""Nobody waits for a roll-up."""


def add_compaction_agent(
    app: faust.App, topic: str, requests: Requests, compactor: Compactor, metrics: Metrics
) -> None:
    async def compact(batch: RawBatch, revoked: Revoked) -> None:
        decode = partial(requests.profiles, batch.payloads)
        for profile in await retry_transient(decode, revoked, partial(metrics.retried, "decode")):
            if revoked():
                raise TransientError("another worker has these requests now")
            await retry_transient(partial(compactor.compact, profile), revoked, partial(metrics.retried, "compact"))

    add_agent(app, topic, compact, metrics)
