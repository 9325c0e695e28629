"""What is made from code, each with the function that makes it: pages of ``docs/reference``, the client's types."""

from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
from fastapi import FastAPI

from domain.titles.catalogue import Catalogue
from infra.runtime.metrics.page import page as metrics
from infra.runtime.settings import ROOT
from producers.collector import openapi as collector
from schemas.avro import schema
from schemas.topics import FAMILIES
from services.accounts import account_routes, code_routes, session_routes
from services.accounts.service import AccountsService
from services.history.routes import router
from services.ops import members
from services.playback import routes as playback
from services.playback.history import ResumePoints
from tests.support.evening import Evening
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_slots import FakeSlots, streams_on
from tests.support.household import Household
from tests.support.identity import identity, verifier
from tests.support.reference import commands, flow, openapi, settings, tables, typescript

FOLDER = ROOT / "docs" / "reference"
COLLECTOR = """
# Collector API

Send events, get a verdict for each. A running collector serves this as a page at `/docs` and as a document at
`/openapi.json`. [Write a client](../guides/write-a-client.md) shows how to use it.
"""
HISTORY = """
# History API

What members watched and where they stopped, newest first, a moment after it happened. Times are RFC 3339 in UTC,
durations are milliseconds. An error has a `code` for programs, a `message` for people and, if one is at fault, the
`field`. A running history API serves this as a document at `/openapi.json`.
"""
PLAYBACK = """
# Playback API

Starts a play: addresses of the video that only this play may use, the point at which to resume, and the ids that the
play's events carry. `/watch/<title>` is a page that plays a title with this API. Errors have the form
of the [history API](history-api.md). Times are milliseconds since the epoch, as in events.
"""
ACCOUNTS = """
# Accounts API

Accounts, profiles and devices. Errors have the form of the [history API](history-api.md); 429 has `Retry-After`.
[Sign a device in](../guides/sign-in.md) shows how to use it.
"""
SUPPORT = """
# Support API

What went wrong for a member: the last sessions, errors, devices. The `ops` process serves it, on the address of the
live page. Errors and times have the form of the [history API](history-api.md).
"""


EXAMPLES = """\
# One event of each family

Each command works as written against the demo. Sent twice, an event is a retry and counts once.
[Collector API](collector-api.md) has every field.
"""
CURL = """
## {family}

{doc}

```sh
curl -i http://127.0.0.1:20001/v1/events \\
  -H 'Authorization: Bearer playhead-local' -H 'Content-Type: application/json' \\
  -d '{body}'
```
"""


def _collector() -> str:
    return openapi.page(collector.document(), COLLECTOR)


def _examples() -> str:
    curls = (CURL.format(family=each, doc=schema(each)["doc"], body=collector.request_text(each)) for each in FAMILIES)
    return EXAMPLES + "".join(curls)


def _history() -> str:
    app = FastAPI()
    app.include_router(router(Evening(0).history_stores, Catalogue(), identity()))
    return openapi.page(app.openapi(), HISTORY)


def _playback() -> str:
    async def ready() -> None: ...

    points = ResumePoints(httpx.AsyncClient(), "")
    service = playback.Playback(
        find=lambda _: None,
        ready=ready,
        resume_points=points,
        keys={},
        edge="",
        identity=identity(),
        entitlement=lambda each: each.entitlement,
        sign=lambda _: "",
        streams=streams_on(FakeSlots()),
        now=lambda: 0,
    )
    app = FastAPI()
    app.include_router(playback.router(service, Catalogue()))
    return openapi.page(app.openapi(), PLAYBACK)


def _accounts() -> str:
    house, app = Household(), FastAPI()

    async def ready() -> None: ...

    service = AccountsService(house.context, house.store, verifier(), "", True, ready, FakeMetrics())
    for module in (account_routes, session_routes, code_routes):
        app.include_router(module.router(service))
    return openapi.page(app.openapi(), ACCOUNTS)


def _support() -> str:
    app = FastAPI()
    app.include_router(members.api(Evening(0).stores, Catalogue(), lambda: 0))
    return openapi.page(app.openapi(), SUPPORT)


PAGES: Mapping[Path, Callable[[], str]] = {
    FOLDER / "accounts-api.md": _accounts,
    FOLDER / "cli.md": commands.page,
    FOLDER / "collector-api.md": _collector,
    FOLDER / "history-api.md": _history,
    FOLDER / "metrics.md": metrics,
    FOLDER / "playback-api.md": _playback,
    FOLDER / "event-examples.md": _examples,
    FOLDER / "processes.md": flow.page,
    FOLDER / "settings.md": settings.page,
    FOLDER / "support-api.md": _support,
    FOLDER / "tables.md": tables.page,
    ROOT / ".env.example": settings.example,
    ROOT / "clients" / "sdk" / "src" / "contract.ts": typescript.page,
}
