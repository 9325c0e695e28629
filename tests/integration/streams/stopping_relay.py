"""A relay that stops itself, as a SIGSTOP would, when it has read rows and is about to publish them."""

import asyncio
import os
import signal
from collections.abc import Sequence
from unittest.mock import patch

from domain.outbox.rows import Row
from infra.engines.kafka.publisher import DatumPublisher
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, log_error
from streams.relay.main import publish
from streams.relay.relay import Late
from streams.wiring import WorkerContext


class StoppingPublisher(DatumPublisher):
    def publish(self, rows: Sequence[Row]) -> set[int]:
        os.kill(os.getpid(), signal.SIGSTOP)
        return super().publish(rows)


if __name__ == "__main__":
    context = WorkerContext("relay", Settings(), PrometheusMetrics("relay"), "", ())
    with exit_with_message(log_error, Late), patch("streams.relay.main.DatumPublisher", StoppingPublisher):
        asyncio.run(publish(context))
