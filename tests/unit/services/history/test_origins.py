"""Which web apps may use a service: those that are set, no other site."""

import httpx
import pytest

from services.history.routes import create_app
from tests.support.fake_metrics import FakeMetrics
from tests.support.identity import headers, identity, member
from tests.unit.services.conftest import Services

APP, OTHER = "https://tv.example", "https://elsewhere.example"
PATH = "/v1/profiles/nobody/continue-watching"


@pytest.mark.parametrize(("origin", "may"), [(APP, True), (OTHER, False)])
async def test_a_web_app_of_a_listed_origin_may_read_and_no_other_page(
    services: Services, origin: str, may: bool
) -> None:
    app = create_app(services.evening.history_stores, services.state.catalogue, identity(), 20002, FakeMetrics(), [APP])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,traceparent",
        }
        preflight = await client.options(PATH, headers=asked)
        answer = await client.get(PATH, headers={"Origin": origin} | headers(member("nobody")))

    assert (answer.status_code, preflight.is_success) == (200, may)
    assert not may or preflight.headers["Access-Control-Allow-Credentials"] == "true"
    for each in (preflight, answer):
        assert each.headers.get("Access-Control-Allow-Origin") == (APP if may else None)


async def test_without_a_setting_no_page_of_another_origin_may_read(services: Services) -> None:
    answer = await services.history.get(PATH, headers={"Origin": APP})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
