"""The one shape of an error answer: ``code`` for programs, ``message`` for people, ``field`` where one is at fault. A
browser that wanted a page gets a page with the message."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from schemas.errors import TransientError

RETRY_AFTER_SECONDS = 5

log = structlog.get_logger()


class Problem(BaseModel):
    code: str = Field(description="Stable, for programs.", examples=["out_of_range"])
    message: str = Field(description="What to change, for people.")
    field: str | None = Field(None, description="The parameter at fault.", examples=["limit"])


class Refusal(Exception):
    """Ends a route with this answer."""

    def __init__(self, status: HTTPStatus, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = Problem(code=code, message=message, field=field)


class BadRequest(Refusal):
    """A parameter that cannot be used."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, code, message, field)


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "400: a parameter cannot be used; the answer names it."},
    503: {"model": Problem, "description": "The data cannot be read now: ask again after `Retry-After` seconds."},
}


def install(app: FastAPI, page: Callable[..., HTMLResponse]) -> None:
    """Turn whatever a route raises into that shape. ``page`` renders a template."""

    def answer(request: Request, status: int, problem: Problem, headers: Any = None) -> Response:
        if "text/html" in request.headers.get("Accept", "") and not request.url.path.startswith("/v1/"):
            return page(request, "problem.html", problem.model_dump(), status, headers)
        return JSONResponse(problem.model_dump(exclude_none=True), status, headers)

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return answer(request, error.status, error.problem)

    @app.exception_handler(RequestValidationError)
    async def invalid_parameter(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        return answer(request, 400, Problem(code="invalid", field=name, message=f"{name}: {first['msg']}."))

    @app.exception_handler(TransientError)
    async def unavailable(request: Request, error: TransientError) -> Response:
        log.warning("unavailable", path=request.url.path, reason=str(error))  # not in the answer: it has addresses
        problem = Problem(
            code="unavailable", message=f"The data cannot be read now. Ask again in {RETRY_AFTER_SECONDS} seconds."
        )
        return answer(request, 503, problem, {"Retry-After": str(RETRY_AFTER_SECONDS)})

    @app.exception_handler(HTTPException)
    async def not_found(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        problem = Problem(code=status.name.lower(), message=f"{status.description}.")
        return answer(request, status, problem, error.headers)
