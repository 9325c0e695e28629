"""Decodes the errors that apps report and stores those of members for support."""

import asyncio
from collections.abc import Sequence

import structlog

from domain.metrics import SKIPPED, Metrics
from domain.support.ports import ErrorSink
from domain.support.updates import MemberError, errors_of_members
from schemas.batch import BatchDecoder

log = structlog.get_logger(__name__)


class ErrorReports:
    """Invalid payloads are counted and skipped: the lake sink makes their dead letters."""

    def __init__(self, decoder: BatchDecoder, store: ErrorSink, metrics: Metrics) -> None:
        self._decoder = decoder
        self._store = store
        self._metrics = metrics

    async def decode(self, topic: str, payloads: Sequence[bytes | None]) -> list[MemberError]:
        """TransientError while the registry is unavailable."""
        # In a thread, because an unknown schema id causes an HTTP request to the registry.
        decoded = await asyncio.to_thread(self._decoder.decode, "error", payloads)
        for invalid in decoded.invalid:
            self._metrics.increment(SKIPPED, topic=topic, code=invalid.error.code)
        if decoded.invalid:
            first = decoded.invalid[0].error
            log.warning("skipped", topic=topic, events=len(decoded.invalid), first=first.code, reason=first.reason)
        return errors_of_members(decoded.frame)

    async def save(self, errors: Sequence[MemberError]) -> None:
        """TransientError while the store is unavailable; saving all of them again is harmless."""
        await self._store.save_errors(errors)
