"""Members' pages: who watched lately, one member's history by day, and whether it plays for them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from domain.history.continue_watching import continue_watching
from domain.recommendations.service import reason_text, recommendations
from domain.titles.catalogue import Catalogue
from schemas.events import ViewingRecord
from services.http.errors import RESPONSES
from services.http.messages import HistoryItem, history_item, moment
from services.http.pages import Page
from services.http.parameters import Cursor, Limit, ProfileId, reading_cursor
from services.ops.placeholder_art import draw
from services.ops.ports import Connect
from services.ops.state import OpsState
from services.ops.support import SupportView, support_view
from services.ops.verdict import verdict

SESSIONS_A_PAGE = 40
MEMBERS_SHOWN = 60
RECOMMENDED_SHOWN = 12
SUPPORT_SESSIONS = 30


def api(connect: Connect, catalogue: Catalogue, now: Callable[[], int]) -> APIRouter:
    routes = APIRouter(prefix="/v1/profiles/{profile_id:path}", tags=["support"], responses=RESPONSES)

    @routes.get("/support", summary="What went wrong for a member: the last sessions, errors, devices")
    async def support(profile_id: ProfileId, limit: Limit = 20) -> SupportView:
        """For support agents. 35 days are kept. Starts, stalls, errors and ends arrive within seconds; that a session
        is still playing, every 10 minutes."""
        return await support_view((await connect()).support, profile_id, limit, catalogue, now())

    return routes


def pages(state: OpsState, connect: Connect, page: Page, now: Callable[[], int]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    catalogue = state.catalogue

    @routes.get("/members")
    async def members(request: Request, q: Annotated[str, Query(max_length=64)] = "") -> HTMLResponse:
        asked = q.strip()
        found = [event for event in reversed(state.members.values()) if asked.lower() in event.profile_id.lower()]
        context = {
            "here": "members",
            "asked": asked,
            "members": [(event, catalogue.title(event.title_id)) for event in found[:MEMBERS_SHOWN]],
            "found": len(found),
            "exact": any(event.profile_id == asked for event in found),
            "now": now(),
        }
        return page(request, "members.html", context)

    @routes.get("/members/{profile_id:path}/support")
    async def support(request: Request, profile_id: ProfileId) -> HTMLResponse:
        at = now()
        view = await support_view((await connect()).support, profile_id, SUPPORT_SESSIONS, catalogue, at)
        context = {
            "here": "members",
            "profile_id": profile_id,
            "view": view,
            "verdict": verdict(view, at),
            "today": _day(at),
        }
        return page(request, "support.html", context)

    @routes.get("/members/{profile_id:path}")
    async def member(request: Request, profile_id: ProfileId, cursor: Cursor = None) -> HTMLResponse:
        stores = await connect()
        with reading_cursor():
            shown = await stores.history.page(profile_id, SESSIONS_A_PAGE, cursor)
        recent, listed = await asyncio.gather(
            stores.history.read_recent(profile_id),
            recommendations(stores.recommendations, stores.history, profile_id, RECOMMENDED_SHOWN),
        )
        sessions = recent.records
        context = {
            "here": "members",
            "profile_id": profile_id,
            "recent": recent,
            "complete": recent.complete and shown.complete,
            "summary": summary(sessions),
            "since": since(sessions[-1] if sessions and not recent.older else None),
            "resume": [(mark, catalogue.title(mark.title_id)) for mark in continue_watching(sessions)],
            "list": listed.source,
            "list_made_at": moment(listed.source.made_at),
            "recommended": [(catalogue.title(item.title_id), reason_text(item, catalogue)) for item in listed.items],
            "days": by_day(shown.items, catalogue),
            "older": shown.next_cursor,
            "first_page": cursor is None,
            "today": _day(now()),
        }
        return page(request, "member.html", context)

    @routes.get("/posters/{title_id:path}.svg")
    async def poster(title_id: str) -> Response:
        svg = draw(catalogue.title(title_id))
        return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "max-age=300"})

    return routes


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    """UTC."""
    items: list[HistoryItem]

    @property
    def watched_ms(self) -> int:
        return sum(item.watched_ms for item in self.items)


@dataclass(frozen=True, slots=True)
class Summary:
    sessions: int
    titles: int
    watched_ms: int
    devices: list[str]
    """Kinds of device, the most used first."""
    failures: int


def by_day(records: Sequence[ViewingRecord], catalogue: Catalogue) -> list[Day]:
    """Records in the order given (newest first), grouped by the UTC day on which they started."""
    items = [history_item(record, catalogue) for record in records]
    return [Day(day, list(group)) for day, group in groupby(items, key=lambda item: item.started_at.date())]


def summary(records: Sequence[ViewingRecord]) -> Summary:
    kinds: list[str] = [record.device_type for record in records]
    return Summary(
        sessions=len(records),
        titles=len({record.title_id for record in records}),
        watched_ms=sum(record.watched_ms for record in records),
        devices=sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind)),
        failures=sum(record.error_fatal for record in records),
    )


def since(record: ViewingRecord | None) -> str | None:
    """Day of a member's first session, for a person."""
    return moment(record.start_time or record.session_started_at).strftime("%-d %B %Y") if record else None


def _day(milliseconds: int) -> date:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()
