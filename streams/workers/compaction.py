"""The compaction worker: requests, keyed by profile, into roll-ups. Repeating a request is harmless."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from domain.history.compaction import Compactor
from domain.metrics import Metrics
from schemas.batch import BatchDecoder
from schemas.errors import TransientError
from schemas.topics import COMPACTION_REQUESTS
from streams.decoding import decode_valid
from streams.progress import count_retry
from streams.runtime.batches import RawBatch, Revoked
from streams.runtime.retry import retry_transient

FETCH_WAIT_MS = 1_000
"""Nobody waits for a roll-up."""


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
        record, topic = COMPACTION_REQUESTS.record, COMPACTION_REQUESTS.name
        requests = await decode_valid(self.decoder, record, topic, payloads, self.metrics)
        return list(dict.fromkeys(requests["profile_id"].to_list()))
