"""The pages of a signed-in member: who watches, profiles, devices, a television's code, the account."""

from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from domain.accounts.model import Account, Device, Profile
from domain.accounts.profiles import AVATARS, Proofs
from domain.accounts.refusals import Refused
from domain.identity.tokens import ACCOUNT_AGE_MS, MATURITIES, Member
from domain.identity.verifying import TokenRefused
from services.accounts.door_pages import Field, answer
from services.accounts.messages import device_item
from services.accounts.service import RENEW, AccountsService, Elsewhere, drop, keep_access, member_client, own_page
from services.http.errors import Refusal
from services.http.identity import COOKIE, SAFE, require_own_page
from services.http.pages import Page

LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "ja": "日本語",
    "nl": "Nederlands",
    "pt": "Português",
}
RATINGS = {"all": "Everybody", "7": "7 and older", "12": "12 and older", "16": "16 and older", "18": "Everything"}


class Reader(NamedTuple):
    account: Account
    device: Device
    member: Member
    """What the token says."""


def router(service: AccountsService, page: Page) -> APIRouter:
    routes = APIRouter(prefix="/account", include_in_schema=False)

    async def reader(request: Request) -> Reader:
        """Who reads the page. A token that is too old is renewed on the way, and a form is sent again by itself."""
        if request.method not in SAFE:
            require_own_page(request)
        try:
            claims = service.verifier.verify(request.cookies.get(COOKIE, ""), ACCOUNT_AGE_MS)
            if not isinstance(claims, Member):
                raise Elsewhere("/account/sign-in")
            return Reader(*await service.signed_in(claims), claims)
        except TokenRefused:
            this = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise Elsewhere(f"{RENEW}?{urlencode({'to': this})}", HTTPStatus.TEMPORARY_REDIRECT) from None
        except Refusal:
            raise Elsewhere("/account/sign-in") from None

    Who = Annotated[Reader, Depends(reader)]

    def back(to: str) -> RedirectResponse:
        return RedirectResponse(to, HTTPStatus.SEE_OTHER)

    def renewed(to: str) -> RedirectResponse:
        """With a token that knows the profiles as they are now; earlier ones may be revoked."""
        return back(f"{RENEW}?{urlencode({'to': to})}")

    def account_page(request: Request, who: Reader, refused: Refused | None = None, **more: Any) -> Response:
        return answer(page, request, "account.html", {"here": "account", "who": who, **more}, refused)

    @routes.get("")
    async def account(request: Request, who: Who, done: str = "") -> Response:
        return account_page(request, who, done={"password": "Your password is new."}.get(done))

    @routes.post("/address")
    async def address(request: Request, who: Who, address: Field = "", password: Field = "") -> Response:
        try:
            await service.registration.ask_address(who.account, address, password, member_client(request, who.device))
        except Refused as refused:
            return account_page(request, who, refused, form="address", address=address)
        return account_page(request, who, done="Open the link in the mail to your new address.")

    @routes.post("/password")
    async def password(request: Request, who: Who, password: Field = "", new_password: Field = "") -> Response:
        try:
            after = await service.registration.change_password(
                who.account, who.device.device_id, password, new_password, member_client(request, who.device)
            )
        except Refused as refused:
            return account_page(request, who, refused, form="password")
        response = back("/account?done=password")
        keep_access(request, response, service.access_token(after, who.device.device_id))
        return response

    @routes.post("/close")
    async def close(request: Request, who: Who, password: Field = "") -> Response:
        try:
            await service.registration.close(who.account, password, member_client(request, who.device))
        except Refused as refused:
            return account_page(request, who, refused, form="close")
        response = back("/account/sign-up")
        drop(response)
        return response

    def who_page(request: Request, who: Reader, refused: Refused | None = None, **more: Any) -> Response:
        return answer(page, request, "who.html", {"here": "who", "who": who, **more}, refused)

    @routes.get("/who")
    async def who_watches(request: Request, who: Who, to: str = "") -> Response:
        return who_page(request, who, to=to)

    @routes.post("/who")
    async def choose(
        request: Request, who: Who, profile_id: Field, pin: Field = "", password: Field = "", to: Field = ""
    ) -> Response:
        proofs = Proofs(password or None, pin or None)
        try:
            after = await service.profiles.enter(
                who.account, who.device.device_id, profile_id, proofs, member_client(request, who.device)
            )
        except Refused as refused:
            is_question = refused.code in ("pin_needed", "password_needed")
            opening = who.account.profile(profile_id)
            return who_page(request, who, refused, opening=opening, question=is_question, to=to)
        response = back(own_page(to) if to else "/account")
        keep_access(request, response, service.access_token(after, who.device.device_id, in_place_of=who.member))
        return response

    def profile_page(
        request: Request, who: Reader, profile: Profile, refused: Refused | None = None, form: str = ""
    ) -> Response:
        """``form``: which of the page's forms was refused, if not the first one."""
        choices = {"avatars": AVATARS, "ratings": RATINGS, "languages": LANGUAGES}
        context = {"here": "profiles", "who": who, "profile": profile, "form": form, **choices}
        return answer(page, request, "profile.html", context, refused)

    @routes.get("/profiles")
    async def profiles(request: Request, who: Who) -> Response:
        return answer(page, request, "profiles.html", {"here": "profiles", "who": who, "ratings": RATINGS})

    @routes.get("/profiles/new")
    async def new_profile(request: Request, who: Who) -> Response:
        return profile_page(request, who, Profile("", "", "wave", "en", "18", kids=False))

    @routes.get("/profiles/{profile_id}")
    async def profile(request: Request, who: Who, profile_id: str) -> Response:
        return profile_page(request, who, _of(who.account, profile_id))

    @routes.post("/profiles/{profile_id}")
    async def save_profile(
        request: Request,
        who: Who,
        profile_id: str,
        name: Field = "",
        avatar: Field = "",
        language: Field = "",
        maturity: Field = "",
        kids: Field = "",
        password: Field = "",
    ) -> Response:
        is_new = profile_id == "new"
        rating = maturity if maturity in MATURITIES else "18"
        asked = Profile(
            "" if is_new else profile_id,
            name,
            avatar if avatar in AVATARS else AVATARS[0],
            language if language in LANGUAGES else "en",
            rating,
            kids == "on",
        )
        try:
            change = service.profiles.add if is_new else service.profiles.edit
            await change(who.account, asked, Proofs(password or None), member_client(request, who.device))
        except Refused as refused:
            return profile_page(request, who, asked, refused)
        return renewed("/account/profiles")

    @routes.post("/profiles/{profile_id}/pin")
    async def set_pin(request: Request, who: Who, profile_id: str, pin: Field = "", password: Field = "") -> Response:
        proofs = Proofs(password or None)
        try:
            await service.profiles.set_pin(
                who.account, profile_id, pin or None, proofs, member_client(request, who.device)
            )
        except Refused as refused:
            return profile_page(request, who, _of(who.account, profile_id), refused, "pin")
        return back("/account/profiles")

    @routes.post("/profiles/{profile_id}/remove")
    async def remove_profile(request: Request, who: Who, profile_id: str, password: Field = "") -> Response:
        try:
            await service.profiles.remove(
                who.account, profile_id, Proofs(password or None), member_client(request, who.device)
            )
        except Refused as refused:
            return profile_page(request, who, _of(who.account, profile_id), refused, "remove")
        return renewed("/account/profiles")

    @routes.get("/devices")
    async def devices(request: Request, who: Who) -> Response:
        items = [device_item(each, who.device.device_id) for each in who.account.devices]
        items.sort(key=lambda item: (not item.is_this, -item.last_seen_at.timestamp()))
        return answer(page, request, "devices.html", {"here": "devices", "who": who, "devices": items})

    @routes.post("/devices/{device_id}/remove")
    async def remove_device(who: Who, device_id: str) -> Response:
        await service.sessions.remove_device(who.account.account_id, device_id)
        return back("/account/devices")

    @routes.post("/sign-out")
    async def sign_out(who: Who) -> Response:
        await service.sessions.sign_out(who.account.account_id, who.device.device_id)
        response = back("/account/sign-in")
        drop(response)
        return response

    @routes.post("/sign-out-everywhere")
    async def sign_out_everywhere(who: Who) -> Response:
        await service.sessions.sign_out_everywhere(who.account.account_id)
        response = back("/account/sign-in")
        drop(response)
        return response

    def code_page(request: Request, who: Reader, refused: Refused | None = None, **more: Any) -> Response:
        return answer(page, request, "tv.html", {"here": "tv", "who": who, **more}, refused)

    @routes.get("/tv")
    async def enter_code(request: Request, who: Who, code: str = "") -> Response:
        return code_page(request, who, code=code)

    @routes.post("/tv")
    async def look(request: Request, who: Who, code: Field = "") -> Response:
        try:
            grant = await service.televisions.look(code, who.account, member_client(request, who.device))
        except Refused as refused:
            return code_page(request, who, refused, code=code)
        return code_page(request, who, grant=grant)

    @routes.post("/tv/decide")
    async def decide(request: Request, who: Who, code: Field, allow: Annotated[str, Form()] = "no") -> Response:
        try:
            await service.televisions.decide(code, who.account, allow == "yes", member_client(request, who.device))
        except Refused as refused:
            return code_page(request, who, refused)
        return code_page(request, who, done="Your television signs in now." if allow == "yes" else "It was not let in.")

    return routes


def _of(account: Account, profile_id: str) -> Profile:
    profile = account.profile(profile_id)
    if profile is None:
        raise Refused("unknown_profile")
    return profile
