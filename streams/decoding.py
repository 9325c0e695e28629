"""Decodes a batch; invalid payloads are counted and skipped, because the lake sink makes their dead letters."""

import asyncio
from collections.abc import Sequence

import polars as pl
import structlog

from domain.metrics import SKIPPED, Metrics
from schemas.batch import BatchDecoder
from schemas.errors import InvalidEvent

_log = structlog.get_logger(__name__)


async def decode_valid(
    decoder: BatchDecoder, record: str, topic: str, payloads: Sequence[bytes | None], metrics: Metrics
) -> pl.DataFrame:
    """The valid records. Raises TransientError while the registry is unavailable."""
    # In a thread, because an unknown schema id causes an HTTP request to the registry.
    decoded = await asyncio.to_thread(decoder.decode, record, payloads)
    skip(topic, [invalid.error for invalid in decoded.invalid], metrics)
    return decoded.frame


def skip(topic: str, errors: Sequence[InvalidEvent], metrics: Metrics) -> None:
    for error in errors:
        metrics.increment(SKIPPED, topic=topic, code=error.code)
    if errors:  # one line per batch: a flood of bad events must not become a flood of logs
        first = errors[0]
        _log.warning("skipped", topic=topic, events=len(errors), first=first.code, reason=first.reason)
