"""Every route of every process, without a token, and with one member's token and another's ids.

The routes come from the services themselves, the services from the table of processes. A new route needs a case here.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from fastapi import FastAPI

import services.accounts.routes as accounts
import services.history.routes as history
import services.ops.routes as ops
from domain.api_keys import hashed
from domain.processes import PROCESSES
from producers.collector.app import build_app
from producers.collector.authentication import Authentication
from producers.collector.byte_budget import ByteBudget
from producers.collector.examples import EXAMPLES, SENT_AT
from producers.collector.handler import EventsHandler
from services.http.identity import COOKIE
from services.ops.routes import Files
from tests.pages.site import ECHARTS, EVENING, RUNBOOKS, pollers
from tests.support.evening import Evening
from tests.support.fake_metrics import FakeMetrics
from tests.support.fakes import FakeLog
from tests.support.household import PASSWORD
from tests.support.identity import headers, identity, member, verifier
from tests.unit.producers.collector.conftest import SCHEMA_IDS
from tests.unit.services.accounts.conftest import HERE, site
from tests.unit.services.playback.test_playback import House

Kind = Literal["anybody", "this machine", "own", "theirs"]
"""``own``: a member's own, without ids in the request. ``theirs``: what the ids in the request say."""
APP, OTHER = "https://tv.example", "https://elsewhere.example"
"""A web app of PLAYHEAD_WEB_ORIGINS, and another site."""
NOT_THEIRS = (403, 404, 410)
"""With a good token."""


@dataclass(frozen=True)
class Case:
    kind: Kind
    json: Any = None
    data: Any = None
    query: str = ""


ANYBODY, MACHINE, OWN = Case("anybody"), Case("this machine"), Case("own")
EVERYWHERE = {
    "GET /openapi.json": ANYBODY,
    "GET /docs": ANYBODY,
    "GET /livez": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /metrics": ANYBODY,
}
_HISTORY = Case("theirs")
_PROFILE = {"name": "Eve", "language": "en", "maturity": "18", "kids": False, "avatar": "sun", "password": PASSWORD}
CASES: dict[str, dict[str, Case]] = {
    "collector": {
        "POST /v1/events": Case("theirs", json={"sent_at": SENT_AT, "events": [EXAMPLES["playback"]]}),
        "POST /v1/cmcd": Case("theirs", query="?profile_id=victim&device_id=tv"),
    },
    "history-api": {
        "GET /v1/profiles/{profile_id:path}/viewing-history": _HISTORY,
        "GET /v1/profiles/{profile_id:path}/continue-watching": _HISTORY,
        "GET /v1/profiles/{profile_id:path}/resume-point": Case("theirs", query="?title_id=ml-50"),
        "GET /v1/profiles/{profile_id:path}/recommendations": _HISTORY,
        "GET /v1/profiles/{profile_id:path}/export": _HISTORY,
        "MOUNT /static": ANYBODY,
    },
    "playback": {
        "POST /v1/playback": Case("theirs", json={"title_id": "ml-50", "profile_id": "victim"}),
        "POST /v1/playback/{playback_session_id}/state": Case("theirs", json={"state": "playing"}),
        # Their token is in the path: a forged one opens nothing.
        "GET /v1/playback/{token}/{title_id:path}/master.m3u8": Case("theirs"),
        "GET /v1/playback/{token}/{title_id:path}/manifest.mpd": Case("theirs"),
        "GET /watch/{title_id:path}": Case("theirs", query="?profile=victim"),
        "GET /examples/{player}": Case("theirs", query="?profile=victim"),
        "GET /sign-in/{name}": Case("theirs"),
        "MOUNT /static": ANYBODY,
        "MOUNT /assets": ANYBODY,
        "MOUNT /bundle": ANYBODY,
    },
    "accounts": {
        "POST /v1/accounts": ANYBODY,
        "POST /v1/accounts/confirm": ANYBODY,
        "POST /v1/accounts/reset": ANYBODY,
        "POST /v1/accounts/reset/confirm": ANYBODY,
        "POST /v1/accounts/address/confirm": ANYBODY,
        "GET /v1/accounts/me": OWN,
        "POST /v1/accounts/me/address": OWN,
        "POST /v1/accounts/me/password": OWN,
        "POST /v1/accounts/me/close": OWN,
        "POST /v1/accounts/me/profiles": OWN,
        "PUT /v1/accounts/me/profiles/{profile_id}": Case("theirs", json=_PROFILE),
        "PUT /v1/accounts/me/profiles/{profile_id}/pin": Case("theirs", json={"pin": "1234", "password": PASSWORD}),
        "DELETE /v1/accounts/me/profiles/{profile_id}": Case("theirs", json={"password": PASSWORD}),
        "POST /v1/session": ANYBODY,
        "POST /v1/session/refresh": ANYBODY,
        "GET /v1/session/renew": ANYBODY,
        "POST /v1/session/renew": ANYBODY,
        "POST /v1/session/profile": Case("theirs", json={"profile_id": "{profile_id}"}),
        "DELETE /v1/session": OWN,
        "DELETE /v1/session/all": OWN,
        "GET /v1/devices": OWN,
        "DELETE /v1/devices/{device_id}": Case("theirs"),
        "POST /v1/device-codes": ANYBODY,
        "POST /v1/device-codes/token": ANYBODY,
        "GET /v1/device-codes/{user_code}": OWN,
        "POST /v1/device-codes/decide": OWN,
        "GET /account/sign-in": ANYBODY,
        "POST /account/sign-in": ANYBODY,
        "GET /account/sign-up": ANYBODY,
        "POST /account/sign-up": ANYBODY,
        "GET /account/sign-up/finish": ANYBODY,
        "POST /account/sign-up/finish": ANYBODY,
        "GET /account/reset": ANYBODY,
        "POST /account/reset": ANYBODY,
        "GET /account/reset/finish": ANYBODY,
        "POST /account/reset/finish": ANYBODY,
        "GET /account/address/confirm": ANYBODY,
        "POST /account/address/confirm": ANYBODY,
        "GET /account/link": ANYBODY,
        "POST /account/link": ANYBODY,
        "GET /account": OWN,
        "POST /account/address": OWN,
        "POST /account/password": OWN,
        "POST /account/close": OWN,
        "GET /account/who": OWN,
        "POST /account/who": Case("theirs", data={"profile_id": "{profile_id}"}),
        "GET /account/profiles": OWN,
        "GET /account/profiles/new": OWN,
        "GET /account/profiles/{profile_id}": Case("theirs"),
        "POST /account/profiles/{profile_id}": Case("theirs", data=_PROFILE),
        "POST /account/profiles/{profile_id}/pin": Case("theirs", data={"pin": "1234", "password": PASSWORD}),
        "POST /account/profiles/{profile_id}/remove": Case("theirs", data={"password": PASSWORD}),
        "GET /account/devices": OWN,
        "POST /account/devices/{device_id}/remove": Case("theirs"),
        "POST /account/sign-out": OWN,
        "POST /account/sign-out-everywhere": OWN,
        "GET /account/tv": OWN,
        "POST /account/tv": OWN,
        "POST /account/tv/decide": OWN,
        "GET /mailbox": MACHINE,
        "MOUNT /static": ANYBODY,
        "MOUNT /account/static": ANYBODY,
    },
    # The console has no route of the gateway: see test_nothing_leads_to_the_console.
    "ops": {
        "GET /": MACHINE,
        "GET /members": MACHINE,
        "GET /members/{profile_id:path}": MACHINE,
        "GET /members/{profile_id:path}/support": MACHINE,
        "GET /v1/profiles/{profile_id:path}/support": MACHINE,
        "GET /posters/{title_id:path}.svg": MACHINE,
        "GET /v1/live": MACHINE,
        "GET /assets/echarts.min.js": MACHINE,
        "GET /dashboards": MACHINE,
        "GET /dashboards/{name}.html": MACHINE,
        "GET /runbooks": MACHINE,
        "GET /runbooks/{name}": MACHINE,
        "MOUNT /static": MACHINE,
        "MOUNT /assets": MACHINE,
    },
}
CLOSED = [
    (process, route)
    for process, cases in CASES.items()
    for route, case in cases.items()
    if case.kind in ("own", "theirs")
]


@dataclass
class Town:
    """All that has doors, and two members: one asks, the other has what is asked for."""

    clients: dict[str, httpx.AsyncClient]
    routes: dict[str, set[str]]
    tokens: dict[str, dict[str, str]]
    """Of the one who asks, by process."""
    ids: dict[str, str]
    """Of the other."""

    async def ask(self, process: str, route: str, token: dict[str, str]) -> httpx.Response:
        method, path = route.split()
        case = CASES[process][route]
        ids = self.ids | ({"profile_id": "ml-196"} if process == "history-api" else {})

        def filled(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: filled(each) for name, each in value.items()}
            if not isinstance(value, str):
                return value
            for name, found in ids.items():
                value = value.replace(f"{{{name}:path}}", found).replace(f"{{{name}}}", found)
            return value

        body: dict[str, Any] = {"json": filled(case.json)} if case.json is not None else {}
        if case.data is not None:
            body = {"data": filled(case.data)}
        return await self.clients[process].request(method, filled(path) + case.query, headers=token, **body)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    evening, house, found = Evening(EVENING), House(), site()
    polled = pollers(evening)
    titles = polled.state.catalogue
    files = Files(ECHARTS, tmp_path, RUNBOOKS)
    authentication = Authentication({"own": hashed("secret")}, {}, verifier().verify)
    events = EventsHandler(
        FakeLog(), ByteBudget(2**21, lambda _: None), authentication, SCHEMA_IDS, lambda: SENT_AT, FakeMetrics(), 10
    )
    collector = build_app(events, lambda: False, lambda: b"")
    found.service = replace(found.service, origins=[APP])
    playback = house.client(origins=[APP])
    apps = {
        "history-api": history.create_app(evening.history_stores, titles, identity(), 20002, FakeMetrics(), [APP]),
        "ops": ops.create_app(
            polled.state, evening.stores, files, identity(), 20003, FakeMetrics(), lambda: evening.now
        ),
        "accounts": accounts.create_app(found.service, 20005),
        "playback": playback._transport.app,  # type: ignore[attr-defined]
    }
    async with AsyncExitStack() as stack:
        clients = {"collector": httpx.AsyncClient(transport=httpx.ASGITransport(collector), base_url=HERE)}
        for name, app in apps.items():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            clients[name] = httpx.AsyncClient(transport=transport, base_url=HERE, headers={"Origin": HERE})
        for client in clients.values():
            await stack.enter_async_context(client)
        described = (await clients["collector"].get("/openapi.json")).json()["paths"]
        routes = {name: set(_routes(app)) for name, app in apps.items()}
        routes["collector"] = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
        asking, asked = "eve@example.com", "victim@example.com"
        for address in (asking, asked):
            async with found.client() as browser:
                await found.sign_up(browser, address)
        theirs = await found.tokens(clients["accounts"], asked)
        bearer = {"Authorization": f"Bearer {theirs['access_token']}"}
        me = (await clients["accounts"].get("/v1/accounts/me", headers=bearer)).json()
        devices = (await clients["accounts"].get("/v1/devices", headers=bearer)).json()
        ids = {
            "profile_id": me["profiles"][0]["id"],
            "device_id": devices["items"][0]["id"],
            "title_id": "ml-50",
            "playback_session_id": EXAMPLES["playback"]["playback_session_id"],
            "token": "forged",
            "player": "plain",
            "name": "forged",
            "user_code": "AAAA-BBBB",
        }
        own = await found.tokens(clients["accounts"], asking)
        tokens = dict.fromkeys(CASES, headers(member("eve")))
        tokens["accounts"] = {"Cookie": f"{COOKIE}={own['access_token']}"}
        yield Town(clients, routes, tokens, ids)
    await playback.aclose()
    await polled.processes.client.aclose()


def _routes(app: FastAPI) -> Iterator[str]:
    def flat(routes: Any) -> Iterator[Any]:
        for route in routes:
            if hasattr(route, "path"):
                yield route
            else:
                yield from flat(route.original_router.routes)

    for route in flat(app.routes):
        for method in (getattr(route, "methods", None) or {"MOUNT"}) - {"HEAD"}:
            yield f"{method} {route.path}"


def test_every_process_that_answers_people_is_walked() -> None:
    answering = {each.name for each in PROCESSES if not each.command[1].startswith("streams.")}
    assert answering == set(CASES)


async def test_every_route_has_a_case(town: Town) -> None:
    for process, routes in town.routes.items():
        known = set(CASES[process]) | (set() if process == "collector" else set(EVERYWHERE))
        assert routes == known, process


def leads_to_sign_in(answer: httpx.Response) -> bool:
    to = answer.headers.get("Location", "")
    return answer.status_code in (303, 307) and to.startswith(("/account/sign-in", "/v1/session/renew"))


async def test_without_a_token_nothing_answers(town: Town) -> None:
    answered = []
    for process, route in CLOSED:
        answer = await town.ask(process, route, {})
        if answer.status_code not in (401, *NOT_THEIRS) and not leads_to_sign_in(answer):
            answered.append((process, route, answer.status_code, answer.headers.get("Location")))
    assert answered == []


async def test_one_member_s_token_opens_nothing_of_another_s(town: Town) -> None:
    answered = []
    for process, route in CLOSED:
        if CASES[process][route].kind == "theirs":
            answer = await town.ask(process, route, town.tokens[process])
            not_yours = answer.status_code == 400 and answer.json()["code"] == "not_yours"
            if answer.status_code not in NOT_THEIRS and not not_yours:
                answered.append((process, route, answer.status_code))
    assert answered == []


async def test_a_web_app_that_is_listed_may_ask_every_service_but_the_console_and_no_other_site_may(
    town: Town,
) -> None:
    """The collector takes events from pages of all sites."""
    wrong = []
    for process in CASES.keys() - {"collector"}:
        for route in CASES[process]:
            method, path = route.split()
            for origin, may in ((APP, process != "ops"), (OTHER, False)):
                asked = {"Origin": origin, "Access-Control-Request-Method": method}
                answer = await town.clients[process].options(path, headers=asked)
                allowed = answer.headers.get("Access-Control-Allow-Origin")
                if method != "MOUNT" and allowed != (origin if may else None):
                    wrong.append((process, route, origin, allowed))
    assert wrong == []


async def test_what_a_page_s_links_lead_to_is_there_behind_the_gateway(town: Town) -> None:
    opened = ("sign-in", "sign-up", "reset", "who", "profiles", "profiles/new", "devices", "tv")
    pages = [
        ("playback", "/watch/ml-50"),
        ("accounts", "/account"),
        *(("accounts", f"/account/{each}") for each in opened),
    ]
    owners = {path: each.name for each in PROCESSES for path in each.public}
    lost = []
    for process, page in pages:
        answer = await town.clients[process].get(page, headers=town.tokens[process] | {"Accept": "text/html"})
        assert answer.status_code == 200, page
        for link in set(re.findall('(?:href|src|action)="(/[^"?]*)', answer.text)):
            owner = next((owners[path] for path in owners if f"{link}/".startswith(f"{path}/")), None)
            if not owner or (await town.clients[owner].get(link, headers=town.tokens[owner])).status_code == 404:
                lost.append((page, link, owner))
    assert lost == []


@pytest.mark.parametrize(
    ("process", "method", "path", "json"),
    [
        ("accounts", "GET", "/v1/accounts/me", None),
        ("accounts", "GET", "/account/profiles", None),
        ("history-api", "GET", "/v1/profiles/eve/viewing-history", None),
        ("playback", "POST", "/v1/playback", {"title_id": "ml-50", "profile_id": "eve"}),
        (
            "collector",
            "POST",
            "/v1/events",
            {"sent_at": SENT_AT, "events": [EXAMPLES["playback"] | {"profile_id": "eve"}]},
        ),
    ],
)
async def test_that_token_opens_what_is_its_own(town: Town, process: str, method: str, path: str, json: Any) -> None:
    answer = await town.clients[process].request(method, path, json=json, headers=town.tokens[process])
    assert answer.is_success, answer.text
