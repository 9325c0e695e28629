"""The playback service as a process: settings -> assets, titles, history -> HTTP."""

import asyncio
import time

import httpx
import msgspec

from domain.processes import BY_NAME
from domain.titles.catalogue import Catalogue
from infra.engines.s3 import ObjectStore
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from schemas.errors import TransientError
from schemas.events import Asset
from services.http.titles import refresh
from services.http.wiring import server
from services.playback.history import ResumePoints
from services.playback.routes import Playback, create_app
from services.playback.watch import Sources

TITLES_S, ASSETS_S, RETRY_S = 60, 1, 3


class AssetRecords:
    """The newest asset record of each title, from the objects that the publisher writes before Kafka."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._assets: dict[str, Asset] | None = None

    def find(self, title_id: str) -> Asset | None:
        return (self._assets or {}).get(title_id)

    async def ready(self) -> None:
        if self._assets is None:
            raise TransientError("assets were not read yet")

    async def follow(self) -> None:
        while True:
            try:
                self._assets = await asyncio.to_thread(self._read)
                await asyncio.sleep(ASSETS_S)
            except TransientError:
                await asyncio.sleep(RETRY_S)

    def _read(self) -> dict[str, Asset]:
        try:
            newest = {key.split("/")[1]: key for key in self._store.list("assets/")}
        except KeyError:  # no bucket yet
            return {}
        known = self._assets or {}
        return {
            title: known[title]
            if title in known and key.endswith(f"/{known[title].seq:08d}.json")
            else msgspec.json.decode(self._store.get(key), type=Asset)
            for title, key in newest.items()
        }


def sources(settings: Settings) -> Sources:
    return Sources(
        edge=settings.edge,
        collector=settings.collector_url,
        key=min(settings.ingest_keys) if settings.on_loopback else "",
        ports={name: settings.process_port(BY_NAME[process]) for name, process in PAGES.items()},
        on_loopback=settings.on_loopback,
    )


PAGES = {"ops": "ops", "history": "history-api"}


async def serve(settings: Settings) -> None:
    catalogue = Catalogue()
    assets = AssetRecords(ObjectStore(settings.model_copy(update={"lake_bucket": settings.media_bucket})))
    async with httpx.AsyncClient() as client:
        playback = Playback(
            find=assets.find,
            ready=assets.ready,
            resume_points=ResumePoints(client, settings.history_url),
            keys={name: secret.get_secret_value().encode() for name, secret in settings.edge_keys.items()},
            edge=settings.edge,
            now=lambda: time.time_ns() // 1_000_000,
        )
        app = create_app(playback, catalogue, sources(settings), PrometheusMetrics())
        following = [
            asyncio.create_task(assets.follow()),
            asyncio.create_task(follow_titles(ObjectStore(settings), catalogue)),
        ]
        await server(app, settings, settings.process_port(BY_NAME["playback"])).serve()
        for task in following:
            task.cancel()


async def follow_titles(store: ObjectStore, catalogue: Catalogue) -> None:
    while True:
        try:
            await refresh(catalogue, store.get)
            await asyncio.sleep(TITLES_S)
        except TransientError:
            await asyncio.sleep(RETRY_S)
