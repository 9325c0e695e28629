"""The services as a process: settings -> clients -> pollers and HTTP, until SIGTERM."""

import asyncio
import logging
import time

import httpx
import typer
import uvicorn
from cassandra.cluster import Session

from infra import logs
from infra.clients.cassandra import LivePartition, LiveVH, close, connect, translated
from infra.clients.kafka_watch import KafkaWatch
from infra.clients.object_store import ObjectStore
from infra.clients.registry import Registry
from infra.metrics import ServicesMetrics
from infra.settings import ROOT, Port, Settings
from services.app import create_app
from services.catalogue import Catalogue
from services.dashboard.board import Board
from services.dashboard.gather import Gatherers
from services.dashboard.processes import ProcessWatch, Target
from streams.pipeline import PROCESSES

ECHARTS = ROOT / "infra" / "assets" / "echarts.min.js"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class LateHistory:
    """LiveVH, connected when it is first asked: the pages come up, and say so, while Cassandra is still away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connecting = asyncio.Lock()
        self._session: Session | None = None
        self._live: LiveVH | None = None

    async def read(self, profile_id: str) -> LivePartition:
        return await (self._live or await self._connected()).read(profile_id)

    async def _connected(self) -> LiveVH:
        async with self._connecting:
            if self._session is None:
                self._session = await asyncio.to_thread(connect, self._settings)
            if self._live is None:
                try:
                    self._live = await asyncio.to_thread(LiveVH, self._session)
                except Exception as error:
                    raise translated(error) from error
            return self._live

    def close(self) -> None:
        if self._session is not None:
            close(self._session)


def targets(settings: Settings) -> tuple[Target, ...]:
    """Where each of our processes shows its numbers."""
    return tuple(
        Target(
            process.name,
            worker,
            f"http://127.0.0.1:{settings.port(Port[process.port], worker)}/metrics",
            process.steps,
        )
        for process in PROCESSES
        for worker in range(getattr(settings, process.workers_setting) if process.workers_setting else 1)
    )


async def serve(settings: Settings) -> None:
    def now() -> int:
        return time.time_ns() // 1_000_000

    history = LateHistory(settings)
    event_log = KafkaWatch(settings, Registry(settings))
    board = Board(Catalogue())
    async with httpx.AsyncClient(timeout=2) as client:
        gatherers = Gatherers(
            board=board,
            event_log=event_log,
            history=history,
            store=ObjectStore(settings),
            processes=ProcessWatch(client, targets(settings)),
            now=now,
        )
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(board, history, ServicesMetrics(), ECHARTS, now),
                host=settings.bind,
                port=settings.port(Port.SERVICES),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        async with asyncio.TaskGroup() as tasks:  # a poller that crashes takes the process with it
            polling = tasks.create_task(gatherers.forever())
            await server.serve()
            polling.cancel()
    event_log.close()
    history.close()


@app.command()
def main() -> None:
    """Serve the history API and the pages."""
    settings = Settings()
    logs.configure("services", settings.log_level)
    for chatty in ("httpx", "httpx2"):  # they would tell of every look at every process
        logging.getLogger(chatty).setLevel(logging.WARNING)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    app()
