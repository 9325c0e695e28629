"""The collector's process: settings, clients, run."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

import structlog
import typer
import uvloop
from prometheus_client import generate_latest
from starlette.types import ASGIApp

from domain.clock import system_clock
from domain.metrics import COLLECTOR_IN_FLIGHT, COLLECTOR_REQUESTS
from domain.processes import BY_NAME
from infra.engines.kafka.admin import KafkaCluster
from infra.engines.kafka.config import client_config
from infra.engines.kafka.producer import KafkaEventLog
from infra.engines.registry import Registry
from infra.runtime import logs, token_keys
from infra.runtime.guarded_http import GuardedProtocol
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, log_error, print_error, reduce_gc
from infra.stores import followed_identity
from producers.collector.app import build_app
from producers.collector.authentication import Authentication, Verify
from producers.collector.byte_budget import ByteBudget
from producers.collector.explainer import Explainer
from producers.collector.handler import DELIVERY_SHARE, EventsHandler
from producers.collector.responses import Reply
from producers.collector.server import Shutdown, serve
from producers.ports import EventLog
from schemas.errors import AccessDenied, TransientError
from schemas.events import EVENT_TYPES

RETRY_S = 1.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def collector(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Explain each event and store none. It needs no engine.")
    ] = False,
) -> None:
    """Accept events over HTTP until SIGTERM or Ctrl-C. A dry run exits with 1 if anything was wrong."""
    if dry_run:
        with exit_with_message(print_error):
            raise typer.Exit(not uvloop.run(_explain(Settings())))
    settings = Settings()
    logs.configure("collector", settings.log_level)
    reduce_gc()
    if failure := uvloop.run(_collect(settings)):
        structlog.get_logger().error("collector stopped", reason=failure)
        raise typer.Exit(1)


async def _collect(settings: Settings) -> str | None:
    """The reason why it had to stop; None on a requested shutdown."""
    try:
        KafkaCluster(settings).check_access()
    except AccessDenied:
        raise
    except TransientError:
        structlog.get_logger().warning("Kafka is unreachable")  # /readyz and every reply say so, too
    shutdown = Shutdown()
    shutdown.on_signals()
    wait = settings.collector_wait_seconds
    log = KafkaEventLog(client_config(settings), wait * DELIVERY_SHARE, shutdown.fail)
    schema_ids: dict[str, int] = {}
    metrics = PrometheusMetrics()
    revoked = followed_identity.revocations(settings, Registry(settings), metrics, "collector")
    revoked.start()
    verify = token_keys.verifier(settings, followed_identity.is_revoked(revoked)).verify
    async with asyncio.TaskGroup() as tasks:  # rejected credentials end the process
        looking = tasks.create_task(_look_up(Registry(settings), schema_ids))
        await _serve(_web(settings, log, schema_ids, verify, metrics, shutdown), settings, shutdown, wait)
        looking.cancel()
    await asyncio.to_thread(revoked.close)
    log.close()
    return shutdown.failure


async def _look_up(registry: Registry, schema_ids: dict[str, int]) -> None:
    """Fill in the ids. Until then a client gets 503 and comes back, where it would find nobody."""
    while not schema_ids:
        try:
            schema_ids |= await asyncio.to_thread(registry.ids)
        except AccessDenied:
            raise
        except TransientError as error:
            structlog.get_logger().warning("the schema registry is unreachable", reason=str(error))
            await asyncio.sleep(RETRY_S)


def _web(
    settings: Settings,
    log: EventLog,
    schema_ids: Mapping[str, int],
    verify: Verify,
    metrics: PrometheusMetrics,
    shutdown: Shutdown,
    on_reply: Callable[[Reply], None] = lambda _: None,
) -> ASGIApp:
    for status in (202, 500, 503):  # a counter that starts at its first value shows no increase
        metrics.increment(COLLECTOR_REQUESTS, 0, status=status)
    intake = EventsHandler(
        log=log,
        budget=ByteBudget(settings.collector_max_bytes_in_flight, partial(metrics.set, COLLECTOR_IN_FLIGHT)),
        authentication=_authentication(settings, verify),
        schema_ids=schema_ids,
        clock=system_clock,
        metrics=metrics,
        wait_seconds=settings.collector_wait_seconds,
    )
    return build_app(intake, lambda: shutdown.draining, generate_latest, on_reply)


def _authentication(settings: Settings, verify: Verify) -> Authentication:
    ours = (settings.gateway, *map(settings.process_url, settings.processes), *settings.web_origins)
    pages = frozenset(urlsplit(address).netloc for address in ours)
    return Authentication(settings.service_keys, settings.public_keys, verify, pages)


async def _serve(web: ASGIApp, settings: Settings, shutdown: Shutdown, grace_s: float) -> None:
    port = settings.process_port(BY_NAME["collector"])
    await serve(web, GuardedProtocol, settings.service_bind, port, shutdown, grace_s)


async def _explain(settings: Settings) -> bool:
    """Whether everything that came was right."""
    explainer = Explainer(typer.echo)
    shutdown = Shutdown()
    shutdown.on_signals()
    ids = dict.fromkeys([*EVENT_TYPES, "dead_letter"], 0)
    token_keys.ensure(settings)  # there may be no stack
    verify, metrics = token_keys.verifier(settings).verify, PrometheusMetrics()
    web = _web(settings, explainer, ids, verify, metrics, shutdown, explainer.replied)
    key = settings.command_key.get_secret_value()
    typer.echo(f"POST {settings.collector_url}/v1/events or /v1/cmcd with the key {key}; Ctrl-C ends it")
    await _serve(web, settings, shutdown, grace_s=1)
    for line in explainer.summary():
        typer.echo(line)
    return explainer.satisfied


if __name__ == "__main__":
    with exit_with_message(log_error):
        app()
