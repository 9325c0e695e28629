"""``/v1/profiles/{profile_id}/…``: a member's viewing history, for devices of the profile's account and for support.

A profile that never watched anything is a new member, not an error: an empty list.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import StreamingResponse

from domain.history import paging
from domain.history.continue_watching import continue_watching, resume_point
from domain.history.reading import HistoryReader
from domain.identity.tokens import Member, Staff
from domain.metrics import Metrics
from domain.recommendations.ports import Recommendations
from domain.recommendations.service import recommendations
from domain.titles.catalogue import Catalogue
from domain.titles.maturity import may_see
from services.history.messages import (
    ContinueItem,
    End,
    ExportEnd,
    Page,
    Recommended,
    ResumePoint,
    continue_item,
    recommended,
)
from services.http.app import create_app as create_service
from services.http.errors import RESPONSES
from services.http.identity import Identity
from services.http.messages import HistoryItem, history_item
from services.http.pages import templates
from services.http.parameters import Cursor, Limit, ProfileId, TitleId, reading_cursor

JSON_LINES = "application/jsonl"


@dataclass(frozen=True, slots=True)
class Stores:
    history: HistoryReader
    recommendations: Recommendations


Sees = Callable[[str], bool]
"""Whether a title may be shown, by its id."""
Connect = Callable[[], Awaitable[Stores]]
"""Raises TransientError while the stores cannot be reached."""


def create_app(
    connect: Connect,
    catalogue: Catalogue,
    identity: Identity,
    ops_port: int,
    metrics: Metrics,
    origins: Collection[str] = (),
) -> FastAPI:
    """``origins``: of web pages that may read the answers."""

    async def ready() -> None:
        await (await connect()).history.page("nobody", 1)

    return create_service(
        title="Playhead history API",
        description="What members watched and where they stopped, newest first, a moment after it happened.",
        routers=[router(connect, catalogue, identity)],
        page=templates(ports={"ops": ops_port}).TemplateResponse,
        ready=ready,
        metrics=metrics,
        origins=origins,
    )


def router(connect: Connect, catalogue: Catalogue, identity: Identity) -> APIRouter:
    routes = APIRouter(prefix="/v1/profiles/{profile_id:path}", tags=["history"], responses=RESPONSES)

    def sees(profile_id: ProfileId, reader: Annotated[Member | Staff, Depends(identity.reader())]) -> Sees:
        """A profile's history has only what both it and who reads may see. Support sees all."""
        if isinstance(reader, Staff):
            return lambda _: True
        limits = [each.maturity for name, each in reader.profiles.items() if name in (profile_id, reader.profile_id)]
        return lambda title_id: all(may_see(catalogue.title(title_id), limit) for limit in limits)

    Seen = Annotated[Sees, Depends(sees)]

    @routes.get("/viewing-history", summary="What a member watched, newest session first")
    async def viewing_history(
        profile_id: ProfileId, seen: Seen, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[HistoryItem]:
        """Each session is there once. Only a session to which a client gave two starts may come again on a later page,
        in an older state: keep the first. A page may have fewer items than asked for: titles above a profile's rating
        limit are left out."""
        stores = await connect()
        with reading_cursor():
            shown = await stores.history.page(profile_id, limit, cursor)
        items = [history_item(record, catalogue) for record in shown.items if seen(record.title_id)]
        return Page(items=items, next_cursor=shown.next_cursor, complete=shown.complete)

    @routes.get("/continue-watching", summary="Titles to resume, and where, on any device")
    async def continue_list(profile_id: ProfileId, seen: Seen) -> Page[ContinueItem]:
        stores = await connect()
        recent = await stores.history.read_recent(profile_id)
        marks = [mark for mark in continue_watching(recent.records) if seen(mark.title_id)]
        items = [continue_item(mark, catalogue) for mark in marks]
        return Page(items=items, next_cursor=None, complete=recent.complete)

    @routes.get("/resume-point", summary="Where a player starts a title")
    async def resume(profile_id: ProfileId, title_id: TitleId, seen: Seen) -> ResumePoint:
        """The last position that was played with a picture, on any device; 0 if that was outside of 5 to 90 %."""
        recent = await (await connect()).history.read_recent(profile_id)
        mark = resume_point(recent.records, title_id) if seen(title_id) else None
        return ResumePoint(
            bookmark_ms=mark.bookmark_ms if mark else 0,
            playback_session_id=mark.playback_session_id if mark else None,
            complete=recent.complete,
        )

    @routes.get("/recommendations", summary="What a member might watch next, best first, each with a reason")
    async def recommended_list(profile_id: ProfileId, seen: Seen, limit: Limit = 20) -> Recommended:
        """Titles already watched, and titles to resume, are left out as of this moment."""
        stores = await connect()
        shown = await recommendations(stores.recommendations, stores.history, profile_id, limit, seen)
        return recommended(shown, catalogue, shown.complete)

    @routes.get(
        "/export",
        summary="All that a member ever watched, as JSON Lines",
        description='One session a line, newest first. The last line is `{"end": …}`; without it the file is cut off.',
        response_class=StreamingResponse,
        responses={200: {"content": {JSON_LINES: {}}}},
    )
    async def export(profile_id: ProfileId, seen: Seen) -> StreamingResponse:
        pages = (await connect()).history.export(profile_id)
        first = await anext(pages)  # before the answer begins: while the history cannot be read, it is a 503
        return StreamingResponse(_lines(first, pages, catalogue, seen), media_type=JSON_LINES)

    return routes


async def _lines(
    first: paging.Page, pages: AsyncIterator[paging.Page], catalogue: Catalogue, seen: Sees
) -> AsyncIterator[str]:
    sessions, complete = 0, True
    page: paging.Page | None = first
    while page is not None:
        shown = [record for record in page.items if seen(record.title_id)]
        sessions += len(shown)
        complete = complete and page.complete
        yield "".join(f"{history_item(record, catalogue).model_dump_json()}\n" for record in shown)
        page = await anext(pages, None)
    yield f"{ExportEnd(end=End(sessions=sessions, complete=complete)).model_dump_json()}\n"
