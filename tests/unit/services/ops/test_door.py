"""The console: open on this machine under a local name, elsewhere for the staff alone."""

from collections.abc import AsyncIterator

import httpx
import pytest

import services.ops.routes as ops
from domain.identity.tokens import Scope
from services.ops.routes import Files
from tests.pages.site import ECHARTS, RUNBOOKS
from tests.support.fake_metrics import FakeMetrics
from tests.support.identity import headers, identity, member, staff
from tests.unit.services.conftest import Services

MEMBERS = ("/members", "/members/ml-196", "/members/ml-196/support", "/v1/profiles/ml-196/support")
PIPELINE = ("/", "/v1/live", "/dashboards", "/runbooks/HistoryLag")


@pytest.fixture
async def elsewhere(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """The console of a stack whose PLAYHEAD_BIND is no loopback address."""
    files = Files(ECHARTS, services.dashboards, RUNBOOKS)
    app = ops.create_app(
        services.state, services.evening.stores, files, identity(), 20003, FakeMetrics(), lambda: 0, on_loopback=False
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:20002") as client:
        yield client


@pytest.mark.parametrize("path", [*MEMBERS, *PIPELINE])
async def test_a_foreign_name_that_leads_here_shows_nothing(services: Services, path: str) -> None:
    answer = await services.client.get(path, headers={"Host": "evil.example:20002"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_host")


@pytest.mark.parametrize("path", [*MEMBERS, *PIPELINE])
async def test_where_others_reach_us_it_is_closed_without_a_staff_token(
    elsewhere: httpx.AsyncClient, path: str
) -> None:
    nobody, a_member = await elsewhere.get(path), await elsewhere.get(path, headers=headers(member("ml-196")))
    assert (nobody.status_code, nobody.json()["code"]) == (401, "no_token")
    assert (a_member.status_code, a_member.json()["code"]) == (403, "no_scope")


@pytest.mark.parametrize(
    ("path", "scope", "opens"),
    [
        *((path, "support", True) for path in (*MEMBERS, *PIPELINE)),
        *((path, "oncall", False) for path in MEMBERS),
        *((path, "oncall", True) for path in PIPELINE),
        *((path, "ingest", False) for path in (*MEMBERS, *PIPELINE)),
    ],
)
async def test_there_a_scope_opens_what_it_is_for(
    elsewhere: httpx.AsyncClient, path: str, scope: Scope, opens: bool
) -> None:
    answer = await elsewhere.get(path, headers=headers(staff(scope)))
    assert (answer.status_code != 403) == opens


async def test_it_is_alive_and_measured_for_anybody(elsewhere: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        assert (await elsewhere.get(path)).status_code == 200
