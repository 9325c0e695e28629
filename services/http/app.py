"""What both services have in common: the error format, health, API documentation, security headers, request times."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from domain.answers import REQUEST_ID, RequestIds, SecurityHeaders
from domain.metrics import Metrics
from services.http import errors, health
from services.http.middleware import EndsWithClient, RequestTimes
from services.http.pages import HERE, Page

NOTES = """Times are RFC 3339 in UTC, durations milliseconds. An error answer is a problem document (RFC 9457): `detail`
for people, `code` for programs and, where one is at fault, the `field`."""


class _Service(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        """Around all of it, so that the answer to a failure of ours has them, too."""
        return RequestIds(SecurityHeaders(super().build_middleware_stack()))


def create_app(
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    page: Page,
    ready: Callable[[], Awaitable[None]],
    metrics: Metrics,
    origins: Collection[str] = (),
) -> FastAPI:
    """``ready`` raises TransientError while the service cannot answer. ``page`` renders a template. Web pages of
    ``origins`` may ask and read the answers; browsers keep them from all other sites."""
    app = _Service(title=title, version="1", description=f"{description}\n{NOTES}", docs_url=None, redoc_url=None)
    errors.install(app, page)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return page(request, "docs.html", {"here": "docs"})

    app.include_router(health.router(ready))
    for router in routers:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(origins),
            allow_credentials=True,  # a member who is signed in has a cookie
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Date", "Retry-After", REQUEST_ID],
            max_age=86400,
        )
    app.add_middleware(RequestTimes, metrics=metrics, seconds=monotonic)
    app.add_middleware(EndsWithClient)
    return app
