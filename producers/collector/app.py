"""The collector's HTTP surface: routes, and JSON for every answer."""

from collections.abc import Callable
from time import perf_counter

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from producers.collector import openapi as documentation
from producers.collector.handler import Intake
from producers.collector.responses import Answer, error

Expose = Callable[[], bytes]
"""All metrics in Prometheus's text format."""
_NOBODY = error(400, "disconnected", "The client went away before the body had arrived.")
_encode = msgspec.json.Encoder().encode


def build_app(intake: Intake, draining: Callable[[], bool], expose: Expose) -> Starlette:
    """``draining`` says that the process is stopping: it still answers, but wants no new clients."""
    metrics = intake.metrics

    async def post_events(request: Request) -> Response:
        started = perf_counter()
        try:
            answer = await intake.handle(request)
        except ClientDisconnect:
            answer = _NOBODY
        except Exception:
            metrics.answered(500, perf_counter() - started)
            raise
        metrics.answered(answer.status, perf_counter() - started)
        return _respond(answer)

    async def livez(_: Request) -> Response:
        return _respond(Answer(200, {"status": "alive"}))

    async def readyz(_: Request) -> Response:
        if draining():
            return _respond(Answer(503, {"status": "stopping"}))
        if not await intake.log.ready():
            return _respond(Answer(503, {"status": "kafka is away"}))
        return _respond(Answer(200, {"status": "ready"}))

    async def metrics_page(_: Request) -> Response:
        return Response(expose(), media_type="text/plain; version=0.0.4")

    async def openapi(_: Request) -> Response:
        return _respond(Answer(200, documentation.openapi()))

    async def docs(request: Request) -> Response:
        return HTMLResponse(documentation.page(str(request.base_url).rstrip("/")))

    return Starlette(
        routes=[
            Route("/v1/events", post_events, methods=["POST"]),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", metrics_page),
            Route("/openapi.json", openapi),
            Route("/docs", docs),
        ],
        middleware=[
            # Any page may send: a request is trusted for its key, never for cookies.
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["POST"],
                allow_headers=["Authorization", "Content-Type", "Content-Encoding"],
                expose_headers=["Retry-After"],
                max_age=86400,
            )
        ],
        exception_handlers={HTTPException: _http_error, Exception: _crash},
    )


async def _http_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    message = f"{request.method} {request.url.path}: {problem.detail}. Events go to POST /v1/events; see /docs."
    answer = error(problem.status_code, codes.get(problem.status_code, "error"), message)
    return _respond(Answer(answer.status, answer.content, dict(problem.headers or {})))


async def _crash(_: Request, __: Exception) -> Response:
    return _respond(error(500, "internal", "The collector failed. It is not your request: send it again."))


def _respond(answer: Answer) -> Response:
    return Response(_encode(answer.content), answer.status, dict(answer.headers), media_type="application/json")
