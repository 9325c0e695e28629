"""The pages: the pipeline live, members, and what they are drawn with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.templating import Jinja2Templates

from domain.history.continue_watching import continue_watching
from domain.history.paging import page_of
from domain.recommendations.service import recommendations
from services.history.items import continue_item, recommended
from services.history.routes import Cursor, ProfileId, reading_cursor
from services.history.support import support_view
from services.ops import formatting as wording
from services.ops import reports as published
from services.ops import runbooks
from services.ops.member import by_day, since, summary
from services.ops.placeholder_art import draw
from services.ops.state import Board
from services.ops.support import verdict
from services.ports import MemberReads

HERE = Path(__file__).parent
FRESH_MS = 500
"""A composed live document serves every open page for that long."""
SESSIONS_A_PAGE = 40
MEMBERS_SHOWN = 60
RECOMMENDED_SHOWN = 12
SUPPORT_SESSIONS = 30


class LiveDocument:
    """The board as JSON bytes, composed at most once per ``FRESH_MS`` however many pages ask."""

    def __init__(self, board: Board, now: Callable[[], int]) -> None:
        self._board = board
        self._now = now
        self._made_at: int | None = None
        self._body = b""

    def body(self) -> bytes:
        now = self._now()
        if self._made_at is None or now - self._made_at >= FRESH_MS:
            self._body = msgspec.json.encode(self._board.live(now))
            self._made_at = now
        return self._body


@cache
def templates() -> Jinja2Templates:
    found = Jinja2Templates(directory=HERE / "templates")
    for word in (
        wording.duration,
        wording.seconds,
        wording.position,
        wording.percent,
        wording.words,
        wording.clock,
        wording.ago,
        wording.day_name,
    ):
        found.env.filters[word.__name__] = word
    found.env.trim_blocks = found.env.lstrip_blocks = True
    return found


@dataclass(frozen=True, slots=True)
class Files:
    """What is handed out from disk."""

    echarts: Path
    """The chart library."""
    dashboards: Path
    """The folder of published days; it may not be there yet."""
    runbooks: Path


def router(board: Board, reads: MemberReads, files: Files, now: Callable[[], int]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    page = templates().TemplateResponse
    document = LiveDocument(board, now)
    routes.include_router(published.router(files.dashboards, page))
    routes.include_router(runbooks.router(files.runbooks, page))

    @routes.get("/")
    async def live_page(request: Request) -> HTMLResponse:
        return page(request, "live.html", {"here": "live"})

    @routes.get("/v1/live")
    async def live() -> Response:
        return Response(document.body(), media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.get("/members")
    async def members(request: Request, q: Annotated[str, Query(max_length=64)] = "") -> HTMLResponse:
        asked = q.strip()
        found = [event for event in reversed(board.members.values()) if asked.lower() in event.profile_id.lower()]
        return page(
            request,
            "members.html",
            {
                "here": "members",
                "asked": asked,
                "members": [(event, board.catalogue.title(event.title_id)) for event in found[:MEMBERS_SHOWN]],
                "found": len(found),
                "exact": any(event.profile_id == asked for event in found),
                "now": now(),
            },
        )

    @routes.get("/members/{profile_id:path}/support")
    async def support(request: Request, profile_id: ProfileId) -> HTMLResponse:
        at = now()
        view = await support_view(reads.support, profile_id, SUPPORT_SESSIONS, board.catalogue, at)
        today = datetime.fromtimestamp(at / 1000, UTC).date()
        shown = {
            "here": "members",
            "profile_id": profile_id,
            "view": view,
            "verdict": verdict(view, at),
            "today": today,
        }
        return page(request, "support.html", shown)

    @routes.get("/members/{profile_id:path}")
    async def member(request: Request, profile_id: ProfileId, cursor: Cursor = None) -> HTMLResponse:
        whole = await reads.history.read_all(profile_id)
        sessions = whole.records
        with reading_cursor():
            shown = page_of(sessions, SESSIONS_A_PAGE, cursor)
        listed = await recommendations(reads.recommendations, profile_id, whole, RECOMMENDED_SHOWN)
        return page(
            request,
            "member.html",
            {
                "here": "members",
                "profile_id": profile_id,
                "whole": whole,
                "summary": summary(sessions),
                "since": since(sessions[-1] if sessions else None),
                "resume": [continue_item(mark, board.catalogue) for mark in continue_watching(sessions)],
                "recommended": recommended(listed, board.catalogue, whole.complete),
                "days": by_day(shown.items, board.catalogue),
                "older": shown.next_cursor,
                "first_page": cursor is None,
                "today": datetime.fromtimestamp(now() / 1000, UTC).date(),
            },
        )

    @routes.get("/posters/{title_id:path}.svg")
    async def poster(title_id: str) -> Response:
        svg = draw(board.catalogue.title(title_id))
        return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "max-age=300"})

    @routes.get("/docs")
    async def docs(request: Request) -> HTMLResponse:
        return page(request, "docs.html", {"here": "docs"})

    @routes.get("/assets/echarts.min.js")
    async def charts() -> FileResponse:
        return FileResponse(files.echarts, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})

    return routes
