"""The operations pages as one application: the pipeline live, members, daily reports, runbooks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from starlette.staticfiles import StaticFiles

from domain.metrics import Metrics
from services.http.app import create_app as create_service
from services.http.identity import Identity
from services.http.pages import Page, templates
from services.ops import formatting, members, reports, runbooks
from services.ops.door import guarded
from services.ops.ports import Connect
from services.ops.state import OpsState

HERE = Path(__file__).parent
FRESH_MS = 500
"""A composed live document serves every open page for that long."""
FILTERS = (
    formatting.duration,
    formatting.seconds,
    formatting.position,
    formatting.percent,
    formatting.words,
    formatting.clock,
    formatting.ago,
    formatting.day_name,
)


@dataclass(frozen=True, slots=True)
class Files:
    """What is served from disk."""

    echarts: Path
    """The chart library."""
    dashboards: Path
    """The folder of published days; it may not be there yet."""
    runbooks: Path


def create_app(
    state: OpsState,
    connect: Connect,
    files: Files,
    identity: Identity,
    history_port: int,
    metrics: Metrics,
    now: Callable[[], int],
    on_loopback: bool = True,
) -> FastAPI:
    """``now``: milliseconds since the epoch. ``on_loopback``: only this machine reaches our processes."""
    rendering = templates(HERE / "templates", ports={"history": history_port})
    rendering.env.filters |= {each.__name__: each for each in FILTERS}
    page = rendering.TemplateResponse

    async def ready() -> None:
        """As soon as it serves: the pages are needed most while a backend is away."""

    of_members = (members.api(connect, state.catalogue, now), members.pages(state, connect, page, now))
    of_the_pipeline = (
        live_routes(state, files.echarts, page, now),
        reports.router(files.dashboards, page),
        runbooks.router(files.runbooks, page),
    )
    app = create_service(
        title="Playhead support API",
        description="What went wrong for a member: the last sessions, errors, devices.",
        routers=[
            guarded(of_members, identity, on_loopback, "support"),
            guarded(of_the_pipeline, identity, on_loopback, "oncall", "support"),
        ],
        page=page,
        ready=ready,
        metrics=metrics,
    )
    app.mount("/assets", StaticFiles(directory=HERE / "static"))
    return app


def live_routes(state: OpsState, echarts: Path, page: Page, now: Callable[[], int]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    document = LiveDocument(state, now)

    @routes.get("/")
    async def live_page(request: Request) -> HTMLResponse:
        return page(request, "live.html", {"here": "live"})

    @routes.get("/v1/live")
    async def live() -> Response:
        return Response(document.body(), media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.get("/assets/echarts.min.js")
    async def charts() -> FileResponse:
        return FileResponse(echarts, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})

    return routes


class LiveDocument:
    """The state as JSON bytes, composed at most once per ``FRESH_MS`` however many pages ask."""

    def __init__(self, state: OpsState, now: Callable[[], int]) -> None:
        self._state = state
        self._now = now
        self._made_at: int | None = None
        self._body = b""

    def body(self) -> bytes:
        now = self._now()
        if self._made_at is None or now - self._made_at >= FRESH_MS:
            self._body = msgspec.json.encode(self._state.live(now))
            self._made_at = now
        return self._body
