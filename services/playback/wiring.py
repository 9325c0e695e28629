"""The playback service as a process: settings -> assets, titles, history -> HTTP."""

import asyncio
from functools import partial

import httpx

from domain.clock import system_clock
from domain.processes import BY_NAME
from domain.titles.catalogue import Catalogue
from infra.engines.kafka.follower import AssetFollower
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime import sign_in_links, token_keys
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from schemas.errors import TransientError
from services.http.identity import Identity
from services.http.titles import follow_titles
from services.http.wiring import server
from services.playback.history import ResumePoints
from services.playback.routes import Playback, create_app
from services.playback.watch import Sources


def sources(settings: Settings) -> Sources:
    return Sources(
        edge=settings.edge,
        collector=settings.collector_url,
        key=min(settings.ingest_keys) if settings.on_loopback else "",
        ports={name: settings.process_port(BY_NAME[process]) for name, process in PAGES.items()},
        on_loopback=settings.on_loopback,
    )


SIGN_IN = "Sign in first. On this machine, `playhead token --profile me --link` prints an address that does it."
PAGES = {"ops": "ops", "history": "history-api"}


async def serve(settings: Settings) -> None:
    catalogue = Catalogue()
    metrics = PrometheusMetrics("playback")
    file = settings.folder / "playback" / "assets.json"
    assets = AssetFollower(settings, Registry(settings), metrics, system_clock, file)

    async def ready() -> None:
        if not assets.ready:
            raise TransientError("the copy of the assets is not complete yet")

    assets.start()
    async with httpx.AsyncClient() as client:
        playback = Playback(
            find=assets.newest,  # no clip for a removed title
            ready=ready,
            resume_points=ResumePoints(client, settings.history_url),
            keys={name: secret.get_secret_value().encode() for name, secret in settings.edge_keys.items()},
            edge=settings.edge,
            identity=Identity(token_keys.verifier(settings), settings.web_origins, SIGN_IN),
            entitlement=lambda member: member.entitlement,
            sign=token_keys.signer(settings).sign,
            now=system_clock,
        )
        take_link = partial(sign_in_links.take, settings)
        app = create_app(playback, catalogue, sources(settings), take_link, metrics, settings.web_origins)
        titles = asyncio.create_task(follow_titles(catalogue, ObjectStore(settings).get, metrics))
        await server(app, settings, settings.process_port(BY_NAME["playback"])).serve()
        titles.cancel()
    await asyncio.to_thread(assets.close)
