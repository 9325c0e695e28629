"""``/sign-in/<link>``: signs this machine's browser in by a link of ``playhead token --link``, which works once.

It is there only where PLAYHEAD_BIND is a loopback address, and under a local name: a foreign name that leads here (DNS
rebinding) gets 403.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.http.errors import Refusal
from services.http.identity import COOKIE, remember, require_local_name
from services.playback.watch import Sources, templates

SIGNED_IN_S = 24 * 60 * 60
"""The token may end sooner."""
AGAIN = "This link was used, or is too old. `playhead token --profile <id> --link` prints another."


class SignIn(Protocol):
    @property
    def token(self) -> str: ...
    @property
    def to(self) -> str:
        """Path of the page that the browser sees next."""


TakeLink = Callable[[str], SignIn | None]
"""What a link of that name is for; None if it was used, is too old, or never was."""


def router(take: TakeLink, sources: Sources) -> APIRouter:
    page = templates(sources)
    routes = APIRouter(include_in_schema=False)

    @routes.get("/sign-in/{name}")
    async def sign_in(request: Request, name: str) -> HTMLResponse:
        require_local_name(request)
        found = take(name)
        if found is None:
            raise Refusal(HTTPStatus.GONE, "used_link", AGAIN)
        # A page and no redirect: after a link from elsewhere, a browser sends a strict cookie only when we go on.
        answer = page(
            request, "signed_in.html", {"here": "watch", "to": found.to}, headers={"Cache-Control": "no-store"}
        )
        remember(request, answer, COOKIE, found.token, SIGNED_IN_S)
        return answer

    return routes
