"""The history API as a process: settings -> stores, titles -> HTTP."""

import asyncio

from cassandra.cluster import Session

from domain.history.reading import HistoryReader
from domain.processes import BY_NAME
from domain.titles.catalogue import Catalogue
from infra.engines.s3 import ObjectStore
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.recommendations_cassandra import Recommendations
from services.history.routes import Stores, create_app
from services.http.titles import follow_titles
from services.http.wiring import cassandra, server


async def serve(settings: Settings) -> None:
    metrics = PrometheusMetrics("history-api")
    catalogue = Catalogue()

    def prepare(session: Session) -> Stores:
        history = HistoryReader(LiveVH(session), CompressedVH(session), metrics)
        return Stores(history, Recommendations(session))

    async with cassandra(settings, prepare) as stores:
        app = create_app(stores, catalogue, settings.process_port(BY_NAME["ops"]), metrics, settings.web_origins)
        following = asyncio.create_task(follow_titles(catalogue, ObjectStore(settings).get, metrics))
        await server(app, settings, settings.process_port(BY_NAME["history-api"])).serve()
        following.cancel()
