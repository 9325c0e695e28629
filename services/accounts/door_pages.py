"""The pages of those who are not signed in: sign up, sign in, a new password, links in mails."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from domain.accounts.context import Session
from domain.accounts.refusals import Refused
from domain.accounts.registration import FirstProfile
from services.accounts.device_names import device_of
from services.accounts.service import AccountsService, client, keep, own_page, refusal
from services.http.identity import require_own_page
from services.http.pages import Page

Field = Annotated[str, Form(max_length=1024)]
COUNTRIES = {
    "AU": "Australia",
    "AT": "Austria",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "CH": "Switzerland",
    "DE": "Germany",
    "DK": "Denmark",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IN": "India",
    "IT": "Italy",
    "JP": "Japan",
    "KR": "South Korea",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "NZ": "New Zealand",
    "PL": "Poland",
    "PT": "Portugal",
    "SE": "Sweden",
    "US": "United States",
    "ZA": "South Africa",
    "ZZ": "Another country",
}
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
"""With our usual ``no-referrer``, browsers would not say from which page a form comes (``Origin: null``)."""


def answer(
    page: Page, request: Request, name: str, context: Mapping[str, Any], refused: Refused | None = None
) -> Response:
    """A page with a form; with what was wrong, if something was."""
    found = refusal(refused) if refused else None
    headers = {**HEADERS, **(found.headers or {} if found else {})}
    status = found.problem.status if found else HTTPStatus.OK
    shown = {"error": str(refused) if refused else None, "fault": refused.field if refused else None, **context}
    return page(request, name, shown, status, headers)


def from_our_pages(request: Request) -> None:
    require_own_page(request)


def router(service: AccountsService, page: Page) -> APIRouter:
    routes = APIRouter(prefix="/account", include_in_schema=False)
    ours = [Depends(from_our_pages)]
    registration = service.registration

    def signed_in(request: Request, session: Session, to: str = "") -> Response:
        chosen = session.device.profile_id is not None
        response = RedirectResponse(own_page(to) if chosen else "/account/who", HTTPStatus.SEE_OTHER)
        keep(request, response, session)
        return response

    def here(request: Request) -> Any:
        return client(request, *device_of(request.headers.get("User-Agent", "")))

    @routes.get("/sign-in")
    async def sign_in_page(request: Request, to: str = "") -> Response:
        return answer(page, request, "sign_in.html", {"to": to})

    @routes.post("/sign-in", dependencies=ours)
    async def sign_in(request: Request, address: Field = "", password: Field = "", to: Field = "") -> Response:
        try:
            session = await service.sign_in(address, password, here(request))
        except Refused as refused:
            return answer(page, request, "sign_in.html", {"to": to, "address": address}, refused)
        return signed_in(request, session, to)

    @routes.get("/sign-up")
    async def sign_up_page(request: Request) -> Response:
        return answer(page, request, "sign_up.html", {})

    @routes.post("/sign-up", dependencies=ours)
    async def sign_up(request: Request, address: Field = "") -> Response:
        try:
            await registration.sign_up(address, here(request))
        except Refused as refused:
            return answer(page, request, "sign_up.html", {"address": address}, refused)
        return answer(page, request, "sent.html", {"address": address, "mailbox": service.on_loopback})

    @routes.get("/sign-up/finish")
    async def finish_sign_up_page(request: Request, token: Annotated[str, Query(max_length=100)]) -> Response:
        return answer(page, request, "finish_sign_up.html", {"token": token, "countries": COUNTRIES, "country": ""})

    @routes.post("/sign-up/finish", dependencies=ours)
    async def finish_sign_up(
        request: Request, token: Field, password: Field = "", name: Field = "", country: Field = ""
    ) -> Response:
        language = request.headers.get("Accept-Language", "en")[:2]
        try:
            if country not in COUNTRIES:
                raise Refused("bad_country", "country")
            first = FirstProfile(name, language if language.isalpha() else "en", country)
            session = await registration.finish_sign_up(token, password, first, here(request))
        except Refused as refused:
            given = {"token": token, "name": name, "country": country, "countries": COUNTRIES}
            return answer(page, request, "finish_sign_up.html", given, refused)
        return signed_in(request, session)

    @routes.get("/reset")
    async def reset_page(request: Request) -> Response:
        return answer(page, request, "reset.html", {})

    @routes.post("/reset", dependencies=ours)
    async def reset(request: Request, address: Field = "") -> Response:
        try:
            await registration.ask_reset(address, here(request))
        except Refused as refused:
            return answer(page, request, "reset.html", {"address": address}, refused)
        return answer(page, request, "sent.html", {"address": address, "mailbox": service.on_loopback})

    @routes.get("/reset/finish")
    async def finish_reset_page(request: Request, token: Annotated[str, Query(max_length=100)]) -> Response:
        return answer(page, request, "finish_reset.html", {"token": token})

    @routes.post("/reset/finish", dependencies=ours)
    async def finish_reset(request: Request, token: Field, password: Field = "") -> Response:
        try:
            await registration.finish_reset(token, password)
        except Refused as refused:
            return answer(page, request, "finish_reset.html", {"token": token}, refused)
        return answer(page, request, "sign_in.html", {"done": "Your password is new. Sign in with it."})

    @routes.get("/address/confirm")
    async def confirm_address_page(request: Request, token: Annotated[str, Query(max_length=100)]) -> Response:
        return answer(page, request, "confirm_address.html", {"token": token})

    @routes.post("/address/confirm", dependencies=ours)
    async def confirm_address(request: Request, token: Field) -> Response:
        try:
            await registration.finish_address(token)
        except Refused as refused:
            return answer(page, request, "confirm_address.html", {"token": token}, refused)
        return answer(page, request, "sign_in.html", {"done": "Your address is new. Sign in with it."})

    if service.on_loopback:

        @routes.get("/link")
        async def link_page(request: Request, token: Annotated[str, Query(max_length=100)]) -> Response:
            return answer(page, request, "link.html", {"token": token})

        @routes.post("/link", dependencies=ours)
        async def link(request: Request, token: Field) -> Response:
            try:
                session = await registration.use_link(token, here(request))
            except Refused as refused:
                return answer(page, request, "link.html", {"token": token}, refused)
            return signed_in(request, session)

    return routes
