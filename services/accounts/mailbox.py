"""``/mailbox``: the mails of a service that only this machine reaches. Elsewhere there is no such page."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from services.accounts.letters import letter
from services.accounts.service import AccountsService
from services.http.errors import Refusal
from services.http.identity import require_local_name
from services.http.messages import moment
from services.http.pages import Page

SHOWN = 50


def from_this_machine(request: Request) -> None:
    """Refuses what a foreign name led here (DNS rebinding), or a page of another site."""
    require_local_name(request)
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin", "same-site"):
        raise Refusal(HTTPStatus.FORBIDDEN, "foreign_origin", "This request does not come from one of our pages.")


def router(service: AccountsService, page: Page) -> APIRouter:
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(from_this_machine)])

    @routes.get("/mailbox")
    async def mailbox(request: Request) -> HTMLResponse:
        letters = [
            {"to": mail.to, "at": moment(mail.created_at), "letter": letter(mail, service.public_url)}
            for mail in await service.outbound.mailbox(SHOWN)
        ]
        return page(request, "mailbox.html", {"letters": letters}, headers={"Cache-Control": "no-store"})

    return routes
