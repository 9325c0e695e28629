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
from services.http.identity import remember
from services.playback.watch import Sources, templates

LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")
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
        if request.url.hostname not in LOCAL_NAMES:
            message = f"Open this page as 127.0.0.1 or localhost, not as {request.url.hostname}."
            raise Refusal(HTTPStatus.FORBIDDEN, "foreign_host", message)
        found = take(name)
        if found is None:
            raise Refusal(HTTPStatus.GONE, "used_link", AGAIN)
        # A page and no redirect: after a link from elsewhere, a browser sends a strict cookie only when we go on.
        answer = page(
            request, "signed_in.html", {"here": "watch", "to": found.to}, headers={"Cache-Control": "no-store"}
        )
        remember(answer, found.token, SIGNED_IN_S)
        return answer

    return routes
