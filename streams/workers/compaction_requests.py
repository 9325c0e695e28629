"""What the compaction worker does with one batch of requests: decode, each profile once, compact."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from domain.metrics import SKIPPED, Metrics
from schemas.batch import BatchDecoder
from schemas.topics import COMPACTION_REQUESTS

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Requests:
    """Invalid payloads are counted and passed over: the lake sink makes their dead letters."""

    decoder: BatchDecoder
    metrics: Metrics

    async def profiles(self, payloads: Sequence[bytes | None]) -> list[str]:
        """Each profile once, however often it was asked for. TransientError while the registry is away."""
        # In a thread, since an unknown schema id asks the registry over HTTP.
        decoded = await asyncio.to_thread(self.decoder.decode, COMPACTION_REQUESTS.record, payloads)
        for invalid in decoded.invalid:
            self.metrics.increment(SKIPPED, topic=COMPACTION_REQUESTS.name, code=invalid.error.code)
            log.warning("skipped", code=invalid.error.code, reason=invalid.error.reason)
        return list(dict.fromkeys(decoded.frame["profile_id"].to_list()))
