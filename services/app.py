"""The one HTTP application: history API, pages, health; on ports only, so tests run it on fakes."""

from collections.abc import Callable
from time import monotonic

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from domain.metrics import Metrics
from services.history import routes as history_api
from services.http import errors as problems
from services.http import health
from services.http.security_headers import FrontDoor
from services.ops import routes as dashboard
from services.ops.state import Board
from services.ports import MemberReads

DESCRIPTION = """What members watched and where they stopped, newest first, a moment after it happened.
Times are RFC 3339 in UTC, durations milliseconds. An error answer has a `code` for programs, a `message` for people
and, where one is at fault, the `field`."""


def create_app(
    board: Board,
    reads: MemberReads,
    metrics: Metrics,
    files: dashboard.Files,
    now: Callable[[], int],
) -> FastAPI:
    """``now``: milliseconds since the epoch."""
    app = FastAPI(
        title="Playhead history API",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app, dashboard.templates().TemplateResponse)
    app.include_router(history_api.router(reads, board.catalogue, now))
    app.include_router(dashboard.router(board, reads, files, now))
    app.include_router(health.router(board))
    app.mount("/static", StaticFiles(directory=dashboard.HERE / "static"), name="static")
    app.add_middleware(FrontDoor, metrics=metrics, seconds=monotonic)
    return app
