"""The one shape of an error answer: a problem document (RFC 9457) with a ``code`` for programs and, where one is at
fault, the ``field``. A browser that wanted a page gets a page with the detail."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from schemas.errors import TransientError
from services.http.middleware import route_of

RETRY_AFTER_SECONDS = 5
MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger()


class Problem(BaseModel):
    type: str = Field("about:blank", description="No address says more: `code` distinguishes problems.")
    title: str = Field(description="Name of the status.", examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str = Field(description="What to change, for people.")
    code: str = Field(description="Stable, for programs.", examples=["out_of_range"])
    field: str | None = Field(None, description="The parameter at fault.", examples=["limit"])


class Refusal(Exception):
    """Ends a route with this answer."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem(status, code, detail, field)
        self.headers = headers


class BadRequest(Refusal):
    """A parameter that cannot be used."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, code, detail, field)


def problem(status: HTTPStatus, code: str, detail: str, field: str | None = None) -> Problem:
    return Problem(title=status.phrase, status=status, detail=detail, code=code, field=field)


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "model": Problem,
        "description": "400: a parameter cannot be used; the answer names it. 401: "
        "no token, or one that proves nothing. 403: the token does not open this.",
    },
    503: {"model": Problem, "description": "The data cannot be read now: ask again after `Retry-After` seconds."},
}


def install(app: FastAPI, page: Callable[..., HTMLResponse]) -> None:
    """Turn whatever a route raises into that shape. ``page`` renders a template."""

    def answer(request: Request, found: Problem, headers: Any = None) -> Response:
        if "text/html" in request.headers.get("Accept", "") and not request.url.path.startswith("/v1/"):
            return page(request, "problem.html", found.model_dump(), found.status, headers)
        return JSONResponse(found.model_dump(exclude_none=True), found.status, headers, MEDIA_TYPE)

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return answer(request, error.problem, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid_parameter(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return answer(request, problem(HTTPStatus.BAD_REQUEST, "invalid", f"{name}: {first['msg']}.", name))

    @app.exception_handler(TransientError)
    async def unavailable(request: Request, error: TransientError) -> Response:
        # The reason is not in the answer: it has addresses.
        log.warning("unavailable", route=route_of(request.scope), reason=str(error))
        detail = f"The data cannot be read now. Ask again in {RETRY_AFTER_SECONDS} seconds."
        found = problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail)
        return answer(request, found, {"Retry-After": str(RETRY_AFTER_SECONDS)})

    @app.exception_handler(HTTPException)
    async def not_found(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        found = problem(status, status.name.lower(), f"{status.description or status.phrase}.")
        return answer(request, found, error.headers)

    describe = app.openapi

    def openapi() -> dict[str, Any]:
        """FastAPI's description, which gives every answer the media type of successful ones."""
        if app.openapi_schema is None:
            for path in describe()["paths"].values():
                for operation in path.values():
                    for status, response in operation["responses"].items():
                        if not status.startswith("2") and "content" in response:
                            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
        return describe()

    app.openapi = openapi  # type: ignore[method-assign]
