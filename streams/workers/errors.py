"""Writes errors that apps report to support's table, and commits offsets only after the writes are acknowledged."""

from functools import partial

import faust

from domain.metrics import Metrics
from streams.progress import count_retry
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import in_place
from streams.workers.error_reports import ErrorReports


def add_error_agent(app: faust.App, topic: str, reported: ErrorReports, metrics: Metrics) -> None:
    async def report(batch: RawBatch, revoked: Revoked) -> None:
        decode = partial(reported.decode, batch.topic, batch.payloads)
        errors = await in_place(decode, revoked, count_retry(metrics, "decode"))
        await in_place(partial(reported.save, errors), revoked, count_retry(metrics, "save_errors"))

    add_agent(app, topic, report, metrics)
