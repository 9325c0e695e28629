"""The compaction worker: requests, keyed by profile, into roll-ups. Repeating a request is harmless."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from domain.history.compaction import Compactor
from domain.metrics import SKIPPED, Metrics
from schemas.batch import BatchDecoder
from schemas.errors import TransientError
from schemas.topics import COMPACTION_REQUESTS
from streams.progress import count_retry
from streams.runtime.batches import RawBatch, Revoked
from streams.runtime.retry import retry_transient

FETCH_WAIT_MS = 1_000
"""Nobody waits for a roll-up."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CompactionHandler:
    """Invalid payloads are counted and skipped: the lake sink makes their dead letters."""

    decoder: BatchDecoder
    compactor: Compactor
    metrics: Metrics

    async def handle(self, batch: RawBatch, revoked: Revoked) -> None:
        """Returns when every profile was compacted."""
        decode = partial(self.profiles, batch.payloads)
        for profile in await retry_transient(decode, revoked, count_retry(self.metrics, "decode")):
            if revoked():
                raise TransientError("another worker has these requests now")
            compact = partial(self.compactor.compact, profile)
            await retry_transient(compact, revoked, count_retry(self.metrics, "compact"))

    async def profiles(self, payloads: Sequence[bytes | None]) -> list[str]:
        """Each profile once, in the order of requests. Raises TransientError while the registry is unavailable."""
        # In a thread, since an unknown schema id asks the registry over HTTP.
        decoded = await asyncio.to_thread(self.decoder.decode, COMPACTION_REQUESTS.record, payloads)
        for invalid in decoded.invalid:
            self.metrics.increment(SKIPPED, topic=COMPACTION_REQUESTS.name, code=invalid.error.code)
            log.warning("skipped", code=invalid.error.code, reason=invalid.error.reason)
        return list(dict.fromkeys(decoded.frame["profile_id"].to_list()))
