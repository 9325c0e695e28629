"""Writes errors that apps report to support's table, and commits offsets only after the writes are acknowledged."""

from functools import partial

import faust

from streams.ports import Metrics
from streams.runtime.batch_transport import RawBatch
from streams.runtime.batches import Revoked, add_agent
from streams.runtime.retry import retry_transient
from streams.workers.error_reports import ErrorReports


def add_error_agent(app: faust.App, topic: str, reported: ErrorReports, metrics: Metrics) -> None:
    async def report(batch: RawBatch, revoked: Revoked) -> None:
        decode = partial(reported.decode, batch.topic, batch.payloads)
        errors = await retry_transient(decode, revoked, partial(metrics.retried, "decode"))
        await retry_transient(partial(reported.save, errors), revoked, partial(metrics.retried, "save_errors"))

    add_agent(app, topic, report, metrics)
