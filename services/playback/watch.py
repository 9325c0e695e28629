"""``/watch/<title>``: the page that plays a title for a signed-in member, and reports it like any other client."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from domain.answers import POLICY
from domain.identity.tokens import Member
from domain.media.play import NoVideo, Shown, asset_shown
from domain.titles.catalogue import Catalogue, Title
from domain.titles.maturity import may_see
from schemas.events import Asset
from services.http.errors import BadRequest, Refusal
from services.http.identity import Identity, Token, owned
from services.http.pages import Page
from services.http.pages import templates as shared_templates
from services.http.parameters import Id
from services.playback.history import ResumePoints

HERE = Path(__file__).parent
BUNDLE = HERE / "bundle"
"""Made by ``make setup`` from ``clients/``."""
Find = Callable[[str], Asset | None]
"""The newest asset record of a title."""
RESUME_WAIT_S = 1.0
"""Of the page, before anybody presses play. A play itself waits less."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What the page speaks to."""

    edge: str
    collector: str
    ports: dict[str, int]
    """Of the other services that have pages: ``ops`` and ``history``."""
    on_loopback: bool

    @property
    def headers(self) -> dict[str, str]:
        """Those of a page that plays: pictures and segments come from the edge, into a ``blob:``. It has a profile's
        resume point, so nobody keeps it."""
        policy = (
            POLICY.replace("img-src 'self'", f"img-src 'self' {self.edge}").replace(
                "connect-src 'self'", f"connect-src 'self' {self.edge} {self.collector}"
            )
            + f"; media-src 'self' blob: {self.edge}"  # a browser that plays HLS by itself has no blob
        )
        return {"Content-Security-Policy": policy, "Cache-Control": "no-store"}


def templates(sources: Sources) -> Page:
    """The pages of staff are linked where the stack is on one machine, for those who try it out."""
    return shared_templates(HERE / "templates", ports=sources.ports, console=sources.on_loopback).TemplateResponse


def mount_files(app: FastAPI) -> None:
    """What the page loads."""
    app.mount("/assets", StaticFiles(directory=HERE / "static"))
    app.mount("/bundle", StaticFiles(directory=BUNDLE, check_dir=False))


def chosen(member: Member, profile_id: str | None) -> str:
    """The profile of the token. 403 for another one that was asked for: choosing it may need its PIN."""
    if member.profile_id is None:
        raise BadRequest("profile_needed", "profile_id", "Choose a profile first, and play with its token.")
    if profile_id not in (None, member.profile_id):
        owned(member, profile_id)
        raise Refusal(HTTPStatus.FORBIDDEN, "other_profile", "Choose this profile before it plays.", "profile_id")
    return member.profile_id


def shown(find: Find, title_id: str) -> Shown:
    """What a play of the title shows, or a 404 that says why there is nothing."""
    try:
        return asset_shown(title_id, find)
    except NoVideo as error:
        if error.removed:
            raise Refusal(HTTPStatus.NOT_FOUND, "removed", "This title was removed.", "title_id") from error
        raise Refusal(HTTPStatus.NOT_FOUND, "no_video", "This title has no video.", "title_id") from error


def allowed(member: Member, profile_id: str, title: Title) -> None:
    """403 if the title is not for the profile."""
    if not may_see(title, member.profiles[profile_id].maturity):
        raise Refusal(HTTPStatus.FORBIDDEN, "not_for_profile", "This title is not for this profile.", "title_id")


def router(
    find: Find, resume_points: ResumePoints, identity: Identity, catalogue: Catalogue, sources: Sources
) -> APIRouter:
    page = templates(sources)
    routes = APIRouter(include_in_schema=False)

    @routes.get("/watch/{title_id:path}")
    async def watch(
        request: Request,
        title_id: Id,
        token: Token,
        member: Annotated[Member, Depends(identity.member())],
        profile: Annotated[Id | None, Query()] = None,
    ) -> HTMLResponse:
        profile_id = chosen(member, profile)
        title = catalogue.title(title_id)
        allowed(member, profile_id, title)
        asset, stands_in = shown(find, title_id)
        resume = await resume_points.read(profile_id, title_id, token, RESUME_WAIT_S)
        context = {
            "here": "watch",
            "title": title,
            "profile_id": profile_id,
            "resume": resume,
            "credit": asset.credit,
            "stands_in": stands_in,
            "collector": sources.collector,
        }
        return page(request, "watch.html", context, headers=sources.headers)

    return routes
