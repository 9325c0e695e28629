"""The services as a process: settings -> clients -> pollers and HTTP, until SIGTERM."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import httpx
import typer
import uvicorn
from cassandra.cluster import Session

from domain.history.paging import Page
from domain.history.reading import FullHistory, HistoryReader
from domain.ledger.state import Account
from domain.processes import BY_NAME, PROCESSES
from domain.quality.tally import MinuteFigures
from domain.recommendations.model import Audience, RecommendationList
from domain.support.updates import MemberError, SessionReport
from domain.titles.catalogue import CATALOGUE_KEY, Catalogue
from infra.engines.cassandra import close, connect, translate
from infra.engines.kafka.monitor import KafkaMonitor
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime import logs
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import ROOT, Settings
from infra.runtime.startup import exit_with_message, log_error, reduce_gc
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.ledger_cassandra import LedgerReader
from infra.stores.quality_cassandra import QualityMinutes
from infra.stores.recommendations_cassandra import Recommendations
from infra.stores.support_cassandra import SupportReader
from services.app import create_app
from services.ops.alerts import AlertWatch
from services.ops.pipeline_health import PipelineHealth
from services.ops.pollers import Gatherers
from services.ops.processes import ProcessWatch, Target
from services.ops.routes import Files
from services.ops.state import Board
from services.ports import MemberReads

ECHARTS = ROOT / "infra" / "assets" / "echarts.min.js"
RUNBOOKS = ROOT / "docs" / "operate" / "alerts"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept in Cassandra."""

    history: HistoryReader
    minutes: QualityMinutes
    recommendations: Recommendations
    support: SupportReader
    book: LedgerReader


class LateStores:
    """Connected when it is first asked: the pages come up, and say so, while Cassandra is still away.

    Satisfies ``services.ports.History``, ``.Recommendations``, ``.LedgerReader``, and ``domain.quality.ports.Minutes``,
    ``.SupportReads``.
    """

    def __init__(self, settings: Settings, metrics: PrometheusMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._connecting = asyncio.Lock()
        self._session: Session | None = None
        self._stores: Stores | None = None

    async def page(self, profile_id: str, limit: int, cursor: str | None) -> Page:
        return await (await self._connected()).history.page(profile_id, limit, cursor)

    async def read_all(self, profile_id: str) -> FullHistory:
        return await (await self._connected()).history.read_all(profile_id)

    async def export(self, profile_id: str) -> AsyncIterator[Page]:
        async for page in (await self._connected()).history.export(profile_id):
            yield page

    async def minutes(self, label_set: str, first: int, last: int) -> Sequence[MinuteFigures]:
        return await (await self._connected()).minutes.minutes(label_set, first, last)

    async def recommended(self, audience: Audience, owner: str) -> RecommendationList | None:
        return await (await self._connected()).recommendations.recommended(audience, owner)

    async def reports(self, profile_id: str, limit: int) -> Sequence[SessionReport]:
        return await (await self._connected()).support.reports(profile_id, limit)

    async def errors(self, profile_id: str, limit: int) -> Sequence[MemberError]:
        return await (await self._connected()).support.errors(profile_id, limit)

    async def account(self, topic_id: str, partition: int) -> Account:
        return await (await self._connected()).book.account(topic_id, partition)

    async def _connected(self) -> "Stores":
        async with self._connecting:
            if self._session is None:
                self._session = await asyncio.to_thread(connect, self._settings)
            if self._stores is None:
                try:
                    self._stores = await asyncio.to_thread(self._prepared, self._session)
                except Exception as error:
                    raise translate(error) from error
            return self._stores

    def _prepared(self, session: Session) -> "Stores":
        history = HistoryReader(LiveVH(session), CompressedVH(session), self._metrics)
        support, book = SupportReader(session), LedgerReader(session)
        return Stores(history, QualityMinutes(session), Recommendations(session), support, book)

    def close(self) -> None:
        if self._session is not None:
            close(self._session)


def targets(settings: Settings) -> tuple[Target, ...]:
    """Where each of our processes shows its numbers."""
    return tuple(
        Target(
            process.name,
            worker,
            f"{settings.process_url(process, worker)}/metrics",
            process.does,
        )
        for process in PROCESSES
        for worker in settings.worker_numbers(process)
    )


async def serve(settings: Settings) -> None:
    def now() -> int:
        return time.time_ns() // 1_000_000

    metrics = PrometheusMetrics()
    stores = LateStores(settings, metrics)
    registry, store = Registry(settings), ObjectStore(settings)
    event_log = KafkaMonitor(settings, registry)
    health = PipelineHealth(event_log, PrometheusMetrics(), now)

    async def ask_cassandra() -> None:
        await stores.page("nobody", 1, None)

    async def ask_s3() -> None:
        await asyncio.to_thread(lambda: next(store.list(CATALOGUE_KEY), None))

    async def ask_registry() -> None:
        await asyncio.to_thread(registry.ping)

    engines = {"cassandra": ask_cassandra, "s3": ask_s3, "registry": ask_registry}
    board = Board(Catalogue())
    files = Files(ECHARTS, settings.folder / "reports" / "dashboards", RUNBOOKS)
    async with httpx.AsyncClient(timeout=2) as client:
        gatherers = Gatherers(
            board=board,
            event_log=event_log,
            history=stores,
            quality=stores,
            book=stores,
            store=store,
            processes=ProcessWatch(client, targets(settings)),
            alerts=AlertWatch(client, settings.alertmanager, expected=bool(settings.alertmanager_url)),
            now=now,
        )
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(board, MemberReads(stores, stores, stores), metrics, files, now),
                host=settings.bind,
                port=settings.process_port(BY_NAME["services"]),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        async with asyncio.TaskGroup() as tasks:  # a poller that crashes takes the process with it
            polling = [tasks.create_task(each) for each in (gatherers.forever(), health.forever(engines))]
            await server.serve()
            for each in polling:
                each.cancel()
    event_log.close()
    stores.close()


@app.command()
def main() -> None:
    """Serve the history API and the pages."""
    settings = Settings()
    logs.configure("services", settings.log_level)
    for chatty in ("httpx", "httpx2"):  # they would tell of every look at every process
        logging.getLogger(chatty).setLevel(logging.WARNING)
    reduce_gc()
    asyncio.run(serve(settings))


if __name__ == "__main__":
    with exit_with_message(log_error):
        app()
