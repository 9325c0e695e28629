"""``/v1/profiles/{profile_id}/…``: a member's viewing history, as players and other services read it.

A profile that never watched anything is a new member, not an error: an empty list.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator

from domain.history import paging
from domain.history.continue_watching import continue_watching
from domain.recommendations.service import recommendations
from domain.titles.catalogue import Catalogue
from services.history.items import (
    ContinueItem,
    End,
    ExportEnd,
    HistoryItem,
    Page,
    Recommended,
    continue_item,
    history_item,
    recommended,
)
from services.history.support import SupportView, support_view
from services.http.errors import RESPONSES, BadRequest
from services.ports import MemberReads

MAX_ID_BYTES = 64
JSON_LINES = "application/jsonl"


def _fits(profile_id: str) -> str:
    """The contract's own rule for ids."""
    if not 1 <= len(profile_id.encode()) <= MAX_ID_BYTES:
        raise ValueError(f"it must have 1 to {MAX_ID_BYTES} bytes of UTF-8")
    return profile_id


ProfileId = Annotated[
    str, AfterValidator(_fits), Path(description=f"1 to {MAX_ID_BYTES} bytes of UTF-8.", examples=["ml-387"])
]
Limit = Annotated[int, Query(ge=1, le=200, description="Items in one answer.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the answer before.")]


@contextmanager
def reading_cursor() -> Iterator[None]:
    """A cursor that can't be one of ours is the client's mistake."""
    try:
        yield
    except ValueError as error:
        raise BadRequest(
            "bad_cursor", "cursor", "cursor: pass next_cursor of an earlier answer unchanged, or leave it out."
        ) from error


def router(reads: MemberReads, catalogue: Catalogue, now: Callable[[], int]) -> APIRouter:
    routes = APIRouter(prefix="/v1/profiles/{profile_id:path}", tags=["history"], responses=RESPONSES)
    history = reads.history

    @routes.get("/viewing-history", summary="What a member watched, newest session first")
    async def viewing_history(profile_id: ProfileId, limit: Limit = 50, cursor: Cursor = None) -> Page[HistoryItem]:
        """Each session is there once. Only one that a client gave two starts may come again on a later page, in an
        older state: keep the first."""
        with reading_cursor():
            shown = await history.page(profile_id, limit, cursor)
        items = [history_item(record, catalogue) for record in shown.items]
        return Page(items=items, next_cursor=shown.next_cursor, complete=shown.complete)

    @routes.get("/continue-watching", summary="Titles to go on with, and where, on any device")
    async def continue_list(profile_id: ProfileId) -> Page[ContinueItem]:
        whole = await history.read_all(profile_id)
        items = [continue_item(bookmark, catalogue) for bookmark in continue_watching(whole.records)]
        return Page(items=items, next_cursor=None, complete=whole.complete)

    @routes.get("/recommendations", summary="What a member might watch next, best first, each with a reason")
    async def recommended_list(profile_id: ProfileId, limit: Limit = 20) -> Recommended:
        """Titles already watched, and those to continue with, are left out as of this moment."""
        whole = await history.read_all(profile_id)
        shown = await recommendations(reads.recommendations, profile_id, whole, limit)
        return recommended(shown, catalogue, whole.complete)

    @routes.get("/support", summary="What went wrong for a member: the last sessions, errors, devices")
    async def support(profile_id: ProfileId, limit: Limit = 20) -> SupportView:
        """For whoever helps a member to whom it does not play. 35 days are kept. Starts, stalls, errors and ends are
        here within seconds; that a session still goes on, every 10 minutes."""
        return await support_view(reads.support, profile_id, limit, catalogue, now())

    @routes.get(
        "/export",
        summary="All that a member ever watched, as JSON Lines",
        description='One session a line, newest first; the last line is `{"end": …}`, or it was cut off.',
        response_class=StreamingResponse,
        responses={200: {"content": {JSON_LINES: {}}}},
    )
    async def export(profile_id: ProfileId) -> StreamingResponse:
        pages = history.export(profile_id)
        first = await anext(pages)  # before the answer begins: while the history is away, it is a 503
        return StreamingResponse(_lines(first, pages, catalogue), media_type=JSON_LINES)

    return routes


async def _lines(first: paging.Page, pages: AsyncIterator[paging.Page], catalogue: Catalogue) -> AsyncIterator[str]:
    sessions, complete = 0, True
    page: paging.Page | None = first
    while page is not None:
        sessions += len(page.items)
        complete = complete and page.complete
        yield "".join(f"{history_item(record, catalogue).model_dump_json()}\n" for record in page.items)
        page = await anext(pages, None)
    yield f"{ExportEnd(end=End(sessions=sessions, complete=complete)).model_dump_json()}\n"
