"""The collector's HTTP surface: routes, and JSON for every reply."""

from collections.abc import Awaitable, Callable
from time import perf_counter

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from domain.answers import REQUEST_ID, RequestIds, SecurityHeaders
from domain.metrics import COLLECTOR_LATENCY, COLLECTOR_REFUSED, COLLECTOR_REQUESTS
from producers.collector.cmcd import CmcdHandler
from producers.collector.handler import EventsHandler
from producers.collector.openapi import document as api_document
from producers.collector.openapi import page as docs_page
from producers.collector.openapi import policy as docs_policy
from producers.collector.responses import Reply, error_reply, unavailable

Expose = Callable[[], bytes]
"""All metrics in Prometheus's text format."""
Handle = Callable[[Request], Awaitable[Reply]]
_DISCONNECTED = error_reply(400, "disconnected", "The client disconnected before the body arrived.")
_STARTING = unavailable("starting", "The collector waits for the schema registry. Send the same request again.")
_encode = msgspec.json.Encoder().encode


def build_app(
    intake: EventsHandler,
    draining: Callable[[], bool],
    expose: Expose,
    on_reply: Callable[[Reply], None] = lambda _: None,
) -> ASGIApp:
    """``draining`` is true while the process shuts down: it still replies, but is not ready for new clients.

    ``on_reply`` receives each reply to events and to CMCD.
    """
    metrics, cmcd = intake.metrics, CmcdHandler(intake)

    async def post_events(request: Request) -> Response:
        return await post(intake.handle, request)

    async def post_cmcd(request: Request) -> Response:
        return await post(cmcd.handle, request)

    async def post(handle: Handle, request: Request) -> Response:
        started = perf_counter()
        try:
            reply = await handle(request) if intake.schema_ids else _STARTING
        except ClientDisconnect:
            reply = _DISCONNECTED
        except Exception:
            metrics.increment(COLLECTOR_REQUESTS, status=500)
            metrics.observe(COLLECTOR_LATENCY, perf_counter() - started)
            raise
        metrics.increment(COLLECTOR_REQUESTS, status=reply.status)
        if 400 <= reply.status < 500:
            metrics.increment(COLLECTOR_REFUSED, code=reply.content["code"])
        metrics.observe(COLLECTOR_LATENCY, perf_counter() - started)
        on_reply(reply)
        return _respond(reply)

    async def livez(_: Request) -> Response:
        return _respond(Reply(200, {"status": "alive"}))

    async def readyz(_: Request) -> Response:
        if draining():
            return _respond(Reply(503, {"status": "stopping"}))
        if not intake.schema_ids:
            return _respond(Reply(503, {"status": "the schema registry is unreachable"}))
        if not await intake.log.ready():
            return _respond(Reply(503, {"status": "kafka is unreachable"}))
        return _respond(Reply(200, {"status": "ready"}))

    async def metrics_page(_: Request) -> Response:
        return Response(expose(), media_type="text/plain; version=0.0.4")

    async def openapi(_: Request) -> Response:
        return _respond(Reply(200, api_document()))

    async def docs(request: Request) -> Response:
        html = docs_page(str(request.base_url).rstrip("/"))
        return HTMLResponse(html, headers={"Content-Security-Policy": docs_policy(html)})

    app = Starlette(
        routes=[
            Route("/v1/events", post_events, methods=["POST"]),
            Route("/v1/cmcd", post_cmcd, methods=["POST"]),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", metrics_page),
            Route("/openapi.json", openapi),
            Route("/docs", docs),
        ],
        middleware=[
            # Any page may send: a request is authenticated by its key, never by cookies, which are ignored. A beacon of
            # application/json always comes with credentials, which needs the page's own origin in the answer. Tracing
            # libraries add headers to every request of a page (traceparent, baggage, sentry-trace): all are allowed.
            Middleware(
                CORSMiddleware,
                allow_origin_regex=".*",
                allow_credentials=True,
                allow_methods=["POST"],
                allow_headers=["*"],
                expose_headers=["Date", "Retry-After", REQUEST_ID],
                max_age=86400,
            )
        ],
        exception_handlers={HTTPException: _http_error, Exception: _crash},
    )
    return RequestIds(SecurityHeaders(app))  # around all of it, so that a 500 has them, too


async def _http_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    message = f"{request.method} {request.url.path}: {problem.detail}. Events go to POST /v1/events; see /docs."
    reply = error_reply(problem.status_code, codes.get(problem.status_code, "error"), message)
    return _respond(Reply(reply.status, reply.content, dict(problem.headers or {})))


async def _crash(_: Request, __: Exception) -> Response:
    return _respond(error_reply(500, "internal", "The collector failed; the request is not at fault. Send it again."))


def _respond(reply: Reply) -> Response:
    return Response(_encode(reply.content), reply.status, dict(reply.headers), media_type="application/json")
