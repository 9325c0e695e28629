"""The collector as a command: settings, clients, run."""

import time

import structlog
import typer
import uvloop
from prometheus_client import generate_latest

from infra.engines.kafka.admin import KafkaCluster
from infra.engines.kafka.config import client_config
from infra.engines.kafka.producer import KafkaEventLog
from infra.engines.registry import Registry
from infra.runtime import logs
from infra.runtime.metrics.recorders import CollectorMetrics
from infra.runtime.settings import Port, Settings
from infra.runtime.startup import collect_rarely, enter, in_log, one_line
from producers.collector.api_keys import Keys
from producers.collector.app import build_app
from producers.collector.byte_budget import Room
from producers.collector.handler import DELIVERY_SHARE, Intake
from producers.collector.server import Stopper, serve
from schemas.errors import Refused, TransientError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def collector() -> None:
    """Take events over HTTP until told to stop."""
    settings = Settings()
    logs.configure("collector", settings.log_level)
    collect_rarely()
    if failure := uvloop.run(_collect(settings)):
        structlog.get_logger().error("the collector can't go on", reason=failure)
        raise typer.Exit(1)


async def _collect(settings: Settings) -> str | None:
    """Why it had to stop; None if it was asked to."""
    try:
        KafkaCluster(settings).greet()
    except Refused:
        raise
    except TransientError:
        structlog.get_logger().warning("Kafka is away")  # /readyz and every answer say so too
    schema_ids = enter(Registry(settings).ids)
    stopper = Stopper()
    stopper.on_signals()
    wait = settings.intake_wait_seconds
    log = KafkaEventLog(client_config(settings), wait * DELIVERY_SHARE, stopper.fail)
    metrics = CollectorMetrics()
    intake = Intake(
        log=log,
        room=Room(settings.intake_max_bytes_in_flight, metrics.in_flight),
        keys=Keys(settings.ingest_keys),
        schema_ids=schema_ids,
        clock=lambda: time.time_ns() // 1_000_000,
        metrics=metrics,
        wait_seconds=wait,
    )
    web = build_app(intake, lambda: stopper.draining, generate_latest)
    await serve(web, settings.bind, settings.port(Port.COLLECTOR), stopper, wait)
    log.close()
    return stopper.failure


if __name__ == "__main__":
    with one_line(in_log):
        app()
