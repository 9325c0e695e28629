"""What the answers of every service have, also the answer to a failure of ours."""

import re
from collections.abc import Iterator

import httpx
import pytest
import structlog
from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from structlog.testing import LogCapture

from schemas.errors import TransientError
from services.http.app import create_app
from tests.support.fake_metrics import FakeMetrics

routes = APIRouter()


@routes.get("/v1/good")
async def good() -> str:
    structlog.get_logger().info("seen")
    return "good"


@routes.get("/v1/bad")
async def bad() -> str:
    raise ZeroDivisionError


@routes.get("/v1/codes/{code}")
async def away(code: str) -> str:
    raise TransientError("the database is away")


async def nothing() -> None:
    """Ready at once."""


def client() -> httpx.AsyncClient:
    app = create_app("A service", "For a test.", [routes], lambda *_: HTMLResponse(), nothing, FakeMetrics())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


@pytest.mark.parametrize(("path", "status"), [("/v1/good", 200), ("/nothing", 404), ("/v1/bad", 500)])
async def test_each_has_an_id_and_keeps_a_page_to_itself(path: str, status: int) -> None:
    answer = await client().get(path)

    assert answer.status_code == status
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.fixture
def lines() -> Iterator[LogCapture]:
    """What is logged."""
    found = LogCapture()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, found])
    yield found
    structlog.configure(processors=before)


async def test_what_a_service_logs_about_a_request_has_the_gateway_s_id(lines: LogCapture) -> None:
    answer = await client().get("/v1/good", headers={"X-Request-Id": "0123456789abcdef"})

    assert answer.headers.get_list("X-Request-Id") == ["0123456789abcdef"]
    assert [line["request"] for line in lines.entries] == ["0123456789abcdef"]


async def test_what_is_logged_while_a_store_is_away_has_no_secret_of_the_address(lines: LogCapture) -> None:
    answer = await client().get("/v1/codes/WDJB-MJHT?token=secret")

    assert answer.status_code == 503
    (line,) = lines.entries
    assert (line["event"], line["route"]) == ("unavailable", "/v1/codes/{code}")
    assert "WDJB" not in str(line)
    assert "secret" not in str(line)
