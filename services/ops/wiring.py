"""The operations service as a process: settings -> stores, pollers -> HTTP."""

import asyncio
from collections.abc import Sequence
from functools import partial

import httpx
from cassandra.cluster import Session

from domain.clock import system_clock
from domain.history.reading import HistoryReader
from domain.processes import BY_NAME, OWNERS, consumer_groups
from domain.titles.catalogue import Catalogue
from infra.engines.kafka.monitor import KafkaMonitor
from infra.engines.mariadb import Database
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local import backends
from infra.local.program import LOOPBACK
from infra.runtime import token_keys
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import ROOT, Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.ledger_cassandra import LedgerReader
from infra.stores.quality_cassandra import QualityMinutes
from infra.stores.recommendations_cassandra import Recommendations
from infra.stores.support_cassandra import SupportReader
from services.http.identity import Identity
from services.http.wiring import cassandra, server
from services.ops.alerts import AlertMonitor
from services.ops.pipeline_health import PipelineHealth
from services.ops.pollers import Pollers
from services.ops.ports import Stores
from services.ops.processes import ProcessMonitor, Target
from services.ops.routes import Files, create_app
from services.ops.state import OpsState

ECHARTS = ROOT / "infra" / "assets" / "echarts.min.js"
WRITE_PROBE_KEY = "probe/write"
RUNBOOKS = ROOT / "infra" / "monitoring" / "runbooks"


def targets(settings: Settings) -> tuple[Target, ...]:
    """Where each worker of each process, and each local nginx, serves its metrics."""
    processes = tuple(
        Target(process.name, worker, f"{settings.process_url(process, worker)}/metrics", process.does)
        for process in settings.processes
        for worker in settings.worker_numbers(process)
    )
    proxies = tuple(
        Target(backend.name, 0, f"http://127.0.0.1:{settings.port(backend.metrics)}/metrics", backend.does)
        for backend in backends.of(settings)
        if backend.metrics and backend.is_local(settings)
    )
    return processes + proxies


async def serve(settings: Settings) -> None:
    def prepare(session: Session) -> Stores:
        return Stores(
            HistoryReader(LiveVH(session), CompressedVH(session), metrics),
            Recommendations(session),
            SupportReader(session),
            QualityMinutes(session),
            LedgerReader(session),
        )

    metrics = PrometheusMetrics()
    registry, store = Registry(settings), ObjectStore(settings)
    event_log = KafkaMonitor(settings, registry)
    groups = consumer_groups(settings.processes)
    state = OpsState(Catalogue(), groups)
    databases = [Database(settings, owner) for owner in OWNERS] if "members" in settings.parts else []
    if not databases:
        del state.sources["mariadb"]
    files = Files(ECHARTS, settings.folder / "reports" / "dashboards", RUNBOOKS)
    async with cassandra(settings, prepare) as stores, httpx.AsyncClient(timeout=2) as client:
        pollers = Pollers(
            state=state,
            event_log=event_log,
            connect=stores,
            store=store,
            processes=ProcessMonitor(client, targets(settings)),
            alerts=AlertMonitor(client, settings.alertmanager, expected=bool(settings.alertmanager_url)),
            health=PipelineHealth(metrics, groups),
            ping_registry=registry.ping,
            ping_mariadb=partial(_ping, databases) if databases else None,
            write_probe=partial(store.put, WRITE_PROBE_KEY, b"."),
            now=system_clock,
        )
        app = create_app(
            state,
            stores,
            files,
            Identity(token_keys.verifier(settings)),
            settings.process_port(BY_NAME["history-api"]),
            metrics,
            system_clock,
            settings.on_loopback,
        )
        async with asyncio.TaskGroup() as tasks:  # a poller that crashes ends this process, which is started again
            polling = tasks.create_task(pollers.forever())
            await server(app, settings, settings.process_port(BY_NAME["ops"]), LOOPBACK).serve()
            polling.cancel()
    event_log.close()
    for database in databases:
        await database.close()


async def _ping(databases: Sequence[Database]) -> None:
    """TransientError unless each service with tables could write to them now."""
    for database in databases:
        await database.ping()
