"""``/v1/profiles/{profile_id}/…``: a member's viewing history, as players and other services read it.

A profile that never watched anything is a new member, not an error: an empty list.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator

from schemas.events import ViewingRecord
from services.catalogue import Catalogue
from services.history_api.items import ContinueItem, HistoryItem, Page, continue_item, history_item
from services.ports import LiveHistory
from services.problems import RESPONSES, BadRequest
from streams.history import reading
from streams.history.continue_watching import continue_watching

MAX_ID_BYTES = 64


def _fits(profile_id: str) -> str:
    """The contract's own rule for ids."""
    if not 1 <= len(profile_id.encode()) <= MAX_ID_BYTES:
        raise ValueError(f"it must have 1 to {MAX_ID_BYTES} bytes of UTF-8")
    return profile_id


ProfileId = Annotated[
    str, AfterValidator(_fits), Path(description=f"1 to {MAX_ID_BYTES} bytes of UTF-8.", examples=["ml-196"])
]
Limit = Annotated[int, Query(ge=1, le=200, description="Items in one answer.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the answer before.")]


async def read_history(history: LiveHistory, profile_id: str) -> list[ViewingRecord]:
    """A profile's sessions from every store, newest first. Raises TransientError."""
    return reading.viewing_history((await history.read(profile_id)).records)


def cut(sessions: list[ViewingRecord], limit: int, cursor: str | None) -> reading.Page:
    try:
        return reading.page(sessions, limit, cursor)
    except ValueError as error:
        raise BadRequest(
            "bad_cursor", "cursor", "cursor: pass next_cursor of an earlier answer unchanged, or leave it out."
        ) from error


def router(history: LiveHistory, catalogue: Catalogue) -> APIRouter:
    routes = APIRouter(prefix="/v1/profiles/{profile_id:path}", tags=["history"], responses=RESPONSES)

    @routes.get("/viewing-history", summary="What a member watched, newest session first")
    async def viewing_history(profile_id: ProfileId, limit: Limit = 50, cursor: Cursor = None) -> Page[HistoryItem]:
        shown = cut(await read_history(history, profile_id), limit, cursor)
        items = [history_item(record, catalogue) for record in shown.items]
        return Page(items=items, next_cursor=shown.next_cursor, complete=True)

    @routes.get("/continue-watching", summary="Titles to go on with, and where, on any device")
    async def continue_list(profile_id: ProfileId) -> Page[ContinueItem]:
        bookmarks = continue_watching(await read_history(history, profile_id))
        items = [continue_item(bookmark, catalogue) for bookmark in bookmarks]
        return Page(items=items, next_cursor=None, complete=True)

    return routes
