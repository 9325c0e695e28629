"""The playback service as a process: settings -> assets, titles, history, slots -> HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import structlog
from cassandra.cluster import Session

from domain.clock import system_clock
from domain.media.copy import AssetCopy
from domain.metrics import Metrics
from domain.processes import BY_NAME
from domain.slots.leases import Leases
from domain.slots.ports import SlotStore
from domain.titles.catalogue import Catalogue
from infra.engines.kafka.follower import Follower
from infra.engines.kafka.own_events import OwnEvents
from infra.engines.kafka.publisher import RecordPublisher
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime import sign_in_links, token_keys
from infra.runtime.kept_file import KeptFile
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.stores import followed_identity
from infra.stores.slots_cassandra import StreamSlots
from schemas.errors import TransientError
from schemas.topics import ASSETS, EVENT_TOPICS
from services.http.identity import Identity
from services.http.titles import follow_titles
from services.http.wiring import cassandra, server
from services.playback.happenings import Happenings
from services.playback.history import ResumePoints
from services.playback.routes import Playback, create_app
from services.playback.streams import Streams
from services.playback.watch import Sources

CONNECT_AGAIN_S = 5.0

log = structlog.get_logger()


def sources(settings: Settings) -> Sources:
    return Sources(
        edge=settings.edge,
        collector=settings.collector_url,
        ports={name: settings.process_port(BY_NAME[process]) for name, process in PAGES.items()},
        on_loopback=settings.on_loopback,
    )


PAGES = {"ops": "ops", "history": "history-api"}


def sign_in(settings: Settings) -> str:
    """What a page says to somebody who is not signed in."""
    where = f"at {settings.gateway}/account/sign-in" if "members" in settings.parts else "first"
    return f"Sign in {where}. On this machine, `playhead token --profile me --link` prints an address that does it."


@asynccontextmanager
async def slots(settings: Settings) -> AsyncIterator[Callable[[], SlotStore]]:
    """The store of slots, which connects in the background: no play waits for it. TransientError until then."""

    def prepare(session: Session) -> SlotStore:
        return StreamSlots(session, settings.stream_lease_seconds, settings.stream_pause_seconds)

    async with cassandra(settings, prepare) as connect:
        connecting = asyncio.create_task(_connected(connect))

        def store() -> SlotStore:
            if not connecting.done():
                raise TransientError("not connected to Cassandra yet")
            return connecting.result()

        yield store
        connecting.cancel()


async def _connected(connect: Callable[[], Awaitable[SlotStore]]) -> SlotStore:
    while True:
        try:
            return await connect()
        except Exception as error:  # whatever keeps us from the store, plays go on
            log.warning("streams are not counted", why=str(error))
            await asyncio.sleep(CONNECT_AGAIN_S)


@asynccontextmanager
async def streams(settings: Settings, catalogue: Catalogue, metrics: Metrics) -> AsyncIterator[Streams]:
    publisher = RecordPublisher(settings, Registry(settings), EVENT_TOPICS["diagnostic"], "profile_id")
    events = OwnEvents(publisher, metrics)
    happenings = Happenings(events.report, system_clock)
    async with slots(settings) as store:
        yield Streams(Leases(store, metrics), happenings, catalogue, settings.stream_lease_seconds)
    await asyncio.to_thread(events.close)


async def serve(settings: Settings) -> None:
    catalogue = Catalogue()
    metrics = PrometheusMetrics("playback")
    file = settings.folder / "playback" / "assets.json"
    registry = Registry(settings)
    assets = Follower(settings, registry, metrics, system_clock, ASSETS, AssetCopy, file)
    revoked = followed_identity.revocations(settings, registry, metrics, "playback")
    entitled = followed_identity.entitlements(settings, registry, metrics, "playback")
    followers: tuple[Follower[Any], ...] = (assets, revoked, entitled)

    async def ready() -> None:
        if not all(each.ready for each in followers):
            raise TransientError("the copies of assets, revocations and entitlements are not complete yet")

    for each in followers:
        each.start()
    verifier = token_keys.verifier(settings, followed_identity.is_revoked(revoked))
    async with httpx.AsyncClient() as client, streams(settings, catalogue, metrics) as counted:
        playback = Playback(
            find=lambda title_id: assets.copy.newest(title_id),  # no clip for a removed title
            ready=ready,
            resume_points=ResumePoints(client, settings.history_url),
            keys={name: secret.get_secret_value().encode() for name, secret in settings.edge_keys.items()},
            edge=settings.edge,
            identity=Identity(verifier, settings.web_origins, sign_in(settings)),
            entitlement=lambda member: entitled.copy.of(member.account_id, member.entitlement),
            sign=token_keys.signer(settings).sign,
            streams=counted,
            now=system_clock,
        )
        take_link = partial(sign_in_links.take, settings)
        app = create_app(playback, catalogue, sources(settings), take_link, metrics, settings.web_origins)
        kept = KeptFile(settings.folder / "playback" / "titles.jsonl")
        titles = asyncio.create_task(follow_titles(catalogue, ObjectStore(settings).get, kept, metrics, system_clock))
        await server(app, settings, settings.process_port(BY_NAME["playback"])).serve()
        titles.cancel()
    await asyncio.gather(*(asyncio.to_thread(each.close) for each in followers))
