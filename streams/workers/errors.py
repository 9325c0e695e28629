"""Writes errors that apps report to support's table, and commits offsets only after the writes are acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from domain.metrics import Metrics
from domain.support.ports import ErrorSink
from domain.support.updates import MemberError, errors_of_members
from schemas.batch import BatchDecoder
from streams.decoding import decode_valid
from streams.progress import count_retry
from streams.runtime.batches import RawBatch, Revoked
from streams.runtime.retry import retry_transient


@dataclass(frozen=True, slots=True)
class ErrorHandler:
    """Invalid payloads are counted and skipped: the lake sink makes their dead letters."""

    decoder: BatchDecoder
    store: ErrorSink
    metrics: Metrics

    async def handle(self, batch: RawBatch, revoked: Revoked) -> None:
        """Returns when the writes are acknowledged."""
        decode = partial(self.decode, batch.topic, batch.payloads)
        errors = await retry_transient(decode, revoked, count_retry(self.metrics, "decode"))
        await retry_transient(partial(self.save, errors), revoked, count_retry(self.metrics, "save_errors"))

    async def decode(self, topic: str, payloads: Sequence[bytes | None]) -> list[MemberError]:
        """The errors of members. Raises TransientError while the registry is unavailable."""
        return errors_of_members(await decode_valid(self.decoder, "error", topic, payloads, self.metrics))

    async def save(self, errors: Sequence[MemberError]) -> None:
        """Raises TransientError while the store is unavailable; saving all of them again is harmless."""
        await self.store.save_errors(errors)
