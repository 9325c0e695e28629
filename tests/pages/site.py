"""The services on an invented evening, in a thread: the pages for the browser, without any engine."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from domain.processes import PROCESSES
from domain.titles.catalogue import Catalogue
from infra.runtime.settings import ROOT
from services.app import create_app
from services.ops.alerts import AlertWatch
from services.ops.pollers import Gatherers
from services.ops.processes import ProcessWatch, Target
from services.ops.routes import Files
from services.ops.state import Board
from tests.support.evening import Evening
from tests.support.fake_metrics import FakeMetrics

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


def gatherers(evening: Evening) -> Gatherers:
    client = httpx.AsyncClient(transport=answers(evening))
    return Gatherers(
        board=Board(Catalogue()),
        event_log=evening,
        history=evening.history,
        quality=evening,
        book=evening,
        store=evening,
        processes=ProcessWatch(client, TARGETS),
        alerts=AlertWatch(client, "http://alertmanager"),
        now=lambda: evening.now,
    )


@contextmanager
def served(evening: Evening, past_seconds: int, dashboards: Path = NOWHERE) -> Iterator[str]:
    """The site's address; ``past_seconds`` of the evening have already been seen, ``dashboards`` are published."""
    gather, files = gatherers(evening), Files(ECHARTS, dashboards, RUNBOOKS)
    app = create_app(gather.board, evening.reads, FakeMetrics(), files, lambda: evening.now)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))

    async def run() -> None:
        for _ in range(0, past_seconds, 2):
            evening.pass_time(2)
            await gather.once()
        serving = asyncio.create_task(server.serve([listener]))
        while not serving.done():
            evening.pass_time(2)
            await gather.once()
            await asyncio.wait([serving], timeout=0.5)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(60)
