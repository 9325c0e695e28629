"""``/examples/<player>``: the smallest page for each player, with what it reports next to the picture."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from domain.identity.tokens import Member
from domain.media.play import CLIP_TITLE
from domain.titles.catalogue import Catalogue
from services.http.identity import Identity
from services.http.parameters import Id
from services.playback.watch import Find, Sources, allowed, chosen, shown, templates


class Player(StrEnum):
    PLAIN = "plain"
    HLS = "hls"
    DASH = "dash"
    SHAKA = "shaka"


class Report(StrEnum):
    BOTH = "both"
    SDK = "sdk"
    CMCD = "cmcd"


PLAYERS = {
    Player.PLAIN: "Media element",
    Player.HLS: "hls.js",
    Player.DASH: "dash.js",
    Player.SHAKA: "shaka",
}
REPORTS = {Report.BOTH: "SDK and CMCD", Report.SDK: "the SDK alone", Report.CMCD: "CMCD alone"}


def router(find: Find, identity: Identity, catalogue: Catalogue, sources: Sources) -> APIRouter:
    page = templates(sources)
    routes = APIRouter(include_in_schema=False)

    @routes.get("/examples/{player}")
    async def example(
        request: Request,
        player: Player,
        member: Annotated[Member, Depends(identity.member())],
        profile: Annotated[Id | None, Query()] = None,
        title: Annotated[Id, Query()] = CLIP_TITLE,
        report: Report = Report.BOTH,
    ) -> HTMLResponse:
        profile_id = chosen(member, profile)
        allowed(member, profile_id, catalogue.title(title))
        shown(find, title)
        context = {
            "here": "examples",
            "player": player,
            "players": PLAYERS,
            "report": report,
            "reports": REPORTS,
            "title": catalogue.title(title),
            "profile_id": profile_id,
            "collector": sources.collector,
        }
        return page(request, "example.html", context, headers=sources.headers)

    return routes
