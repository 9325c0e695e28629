"""``/v1/session`` and ``/v1/devices``: sign in, refresh, who watches, sign out, and the devices of an account."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from domain.accounts.model import Account, Device
from domain.accounts.profiles import Proofs
from domain.accounts.refusals import Refused
from domain.identity.tokens import ACCOUNT_AGE_MS, PLAY_AGE_MS, Member
from services.accounts.messages import (
    Choice,
    Devices,
    RefreshRequest,
    SessionItem,
    SignIn,
    chosen_item,
    device_item,
    session_item,
)
from services.accounts.service import (
    REFRESH_COOKIE,
    RENEW,
    SESSION_PATH,
    AccountsService,
    client,
    drop,
    keep,
    keep_access,
    member_client,
    own_page,
)
from services.http.errors import RESPONSES
from services.http.identity import Given


def router(service: AccountsService) -> APIRouter:
    routes = APIRouter(tags=["sessions"], responses=RESPONSES)
    sessions = service.sessions

    Mine = Annotated[tuple[Account, Device], Depends(service.whose(ACCOUNT_AGE_MS))]
    Playing = Annotated[tuple[Account, Device], Depends(service.whose(PLAY_AGE_MS))]
    PlayingMember = Annotated[Member, Depends(service.identity.member(PLAY_AGE_MS))]

    @routes.post(SESSION_PATH, summary="Sign in")
    async def sign_in(asked: SignIn, request: Request, response: Response) -> SessionItem:
        """401 `wrong_credentials`: the answer is equal for addresses without an account. 429: after too many failures
        nothing is checked for a while; wait for `Retry-After`."""
        if asked.browser:
            service.identity.require_page(request)
        who = client(request, asked.device.name, asked.device.type, asked.device_token)
        session = await service.sign_in(asked.address, asked.password, who)
        if asked.browser:
            keep(request, response, session)
        return session_item(session, asked.browser)

    @routes.post(f"{SESSION_PATH}/refresh", summary="A new access token")
    async def refresh(asked: RefreshRequest, request: Request, response: Response) -> SessionItem:
        """Keep the refresh token of the answer in place of the one that was sent. An answer that got lost is given
        again for the same token, until the new one is used. 401 `signed_out`: sign in again."""
        in_cookies = asked.refresh_token is None
        if in_cookies:
            service.identity.require_page(request)
        session = await sessions.refresh(asked.refresh_token or request.cookies.get(REFRESH_COOKIE, ""))
        if in_cookies:
            keep(request, response, session)
        return session_item(session, in_cookies)

    @routes.api_route(RENEW, methods=["GET", "POST"], include_in_schema=False)
    async def renew(request: Request, to: str) -> RedirectResponse:
        """A page whose reader's token is too old comes here, where the browser sends the refresh token, and goes back
        with its form."""
        page = own_page(to)
        try:
            session = await sessions.refresh(request.cookies.get(REFRESH_COOKIE, ""))
        except Refused:
            signed_out = RedirectResponse(f"/account/sign-in?{urlencode({'to': page})}", 303)
            if REFRESH_COOKIE in request.cookies:  # it is not after a link from another site
                drop(signed_out)
            return signed_out
        back = RedirectResponse(page, 307)
        keep(request, back, session)
        return back

    @routes.post(f"{SESSION_PATH}/profile", summary="Choose who watches")
    async def choose(
        asked: Choice, found: Playing, member: PlayingMember, given: Given, request: Request, response: Response
    ) -> SessionItem:
        """The answer has an access token for the profile; the refresh token stays as it is. 403 `pin_needed` or
        `password_needed`: ask for it and send it."""
        account, device = found
        proofs = Proofs(asked.password, asked.pin)
        after = await service.profiles.enter(
            account, device.device_id, asked.profile_id, proofs, member_client(request, device)
        )
        in_cookies = given is not None and given.by_cookie  # no script learns the token that it hides
        token = service.access_token(after, device.device_id, in_place_of=member)
        if in_cookies:
            keep_access(request, response, token)
        return chosen_item(after, asked.profile_id, device.device_id, None if in_cookies else token)

    @routes.delete(SESSION_PATH, status_code=204, summary="Sign this device out")
    async def sign_out(found: Playing, response: Response) -> None:
        account, device = found
        await sessions.sign_out(account.account_id, device.device_id)
        drop(response)

    @routes.delete(f"{SESSION_PATH}/all", status_code=204, summary="Sign all devices out")
    async def sign_out_everywhere(found: Mine, response: Response) -> None:
        await sessions.sign_out_everywhere(found[0].account_id)
        drop(response)

    @routes.get("/v1/devices", summary="The devices that are signed in")
    async def devices(found: Mine) -> Devices:
        account, device = found
        return Devices(items=[device_item(each, device.device_id) for each in account.devices])

    @routes.delete("/v1/devices/{device_id}", status_code=204, summary="Sign a device out")
    async def remove_device(device_id: str, found: Mine) -> None:
        """Every service refuses its tokens within seconds."""
        await sessions.remove_device(found[0].account_id, device_id)

    return routes
