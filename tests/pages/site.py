"""Both services on an invented evening, in a thread: the pages for the browser, without any engine."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

import services.history.routes as history
import services.ops.routes as ops
from domain.processes import PROCESSES
from domain.titles.catalogue import Catalogue
from infra.runtime.settings import ROOT
from services.ops.alerts import AlertMonitor
from services.ops.pipeline_health import PipelineHealth
from services.ops.pollers import Pollers
from services.ops.processes import ProcessMonitor, Target
from services.ops.routes import Files
from services.ops.state import OpsState
from tests.support.evening import Evening
from tests.support.fake_metrics import FakeMetrics
from tests.support.identity import identity

RUNBOOKS = ROOT / "docs" / "operate" / "alerts"
ECHARTS = ROOT / "infra" / "assets" / "echarts.min.js"
NOWHERE = ROOT / "no" / "such" / "folder"
EVENING = 1_772_482_449_000
"""2 March 2026, 20:14:09 UTC."""
TARGETS = tuple(Target(each.name, 0, f"http://{each.name}/metrics", each.does) for each in PROCESSES)


def answers(evening: Evening) -> httpx.MockTransport:
    """Every process answers with its numbers, Alertmanager with what fires; those that are away refuse."""

    def answer(request: httpx.Request) -> httpx.Response:
        alertmanager = request.url.host == "alertmanager"
        if request.url.host in evening.away or (alertmanager and evening.alerts is None):
            raise httpx.ConnectError("refused")
        if alertmanager:
            return httpx.Response(200, json=evening.alerts)
        cpu = (evening.now - EVENING) / 1000 * 0.21
        return httpx.Response(
            200,
            text=f"process_start_time_seconds {EVENING / 1000 - 8000}\n"
            f"process_resident_memory_bytes 1.24e+08\nprocess_cpu_seconds_total {cpu}\n",
        )

    return httpx.MockTransport(answer)


def pollers(evening: Evening) -> Pollers:
    client = httpx.AsyncClient(transport=answers(evening))
    return Pollers(
        state=OpsState(Catalogue()),
        event_log=evening,
        connect=evening.stores,
        store=evening,
        processes=ProcessMonitor(client, TARGETS),
        alerts=AlertMonitor(client, "http://alertmanager"),
        health=PipelineHealth(evening.metrics),
        ping_registry=evening.ping_registry,
        ping_mariadb=evening.ping_mariadb,
        write_probe=evening.write_probe,
        now=lambda: evening.now,
    )


@contextmanager
def served(evening: Evening, past_seconds: int, dashboards: Path = NOWHERE) -> Iterator[str]:
    """Address of the pages, whose links lead to a history API that is served too.

    ``past_seconds`` of the evening have already been seen, ``dashboards`` are published.
    """
    polling, files = pollers(evening), Files(ECHARTS, dashboards, RUNBOOKS)
    catalogue = polling.state.catalogue
    with _listener() as here, _listener() as api:
        apps = {
            here: ops.create_app(
                polling.state, evening.stores, files, identity(), _port(api), FakeMetrics(), lambda: evening.now
            ),
            api: history.create_app(evening.history_stores, catalogue, identity(), _port(here), FakeMetrics()),
        }
        servers = {
            listener: uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
            for listener, app in apps.items()
        }

        async def run() -> None:
            for _ in range(0, past_seconds, 2):
                evening.pass_time(2)
                await polling.once()
            serving = [asyncio.create_task(server.serve([listener])) for listener, server in servers.items()]
            while not all(each.done() for each in serving):
                evening.pass_time(2)
                await polling.once()
                await asyncio.wait(serving, timeout=0.5)

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{_port(here)}"
        for server in servers.values():
            server.should_exit = True
        thread.join(60)


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
