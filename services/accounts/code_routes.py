"""``/v1/device-codes``: a television signs in with a telephone (RFC 8628)."""

from http import HTTPStatus
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse

from domain.accounts.context import Session
from domain.accounts.model import Account, Device
from domain.accounts.television import INTERVAL_S, LASTS_S, Waiting
from domain.identity.tokens import ACCOUNT_AGE_MS
from schemas.events import DeviceType
from services.accounts.messages import CodeDecision, CodeError, CodeItem, GrantItem, SessionItem, session_item
from services.accounts.service import AccountsService, client
from services.http.errors import RESPONSES

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
WORDS: dict[Waiting, str] = {
    "authorization_pending": "Nobody has entered the code yet. Ask again after the interval.",
    "slow_down": "Ask less often: five seconds more between questions.",
    "access_denied": "Somebody refused. Show a new code if they try again.",
    "expired_token": "The code has expired. Show a new one.",
    "invalid_grant": "There is no such code, or its session has moved on. Show a new one.",
}


def router(service: AccountsService) -> APIRouter:
    routes = APIRouter(prefix="/v1/device-codes", tags=["televisions"])

    Mine = Annotated[tuple[Account, Device], Depends(service.whose(ACCOUNT_AGE_MS))]

    @routes.post("", summary="A code to show", responses=RESPONSES)
    async def start(
        request: Request,
        name: Annotated[str, Form(min_length=1, max_length=40)] = "Television",
        type: Annotated[DeviceType, Form()] = "tv",
    ) -> CodeItem:
        """RFC 8628, 3.1. Show `user_code` and the address, or `verification_uri_complete` as a QR code."""
        code = await service.televisions.start(client(request, name, type))
        page = f"{service.public_url}/account/tv"
        return CodeItem(
            device_code=code.device_code,
            user_code=code.user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}?code={code.user_code}",
            expires_in=LASTS_S,
            interval=INTERVAL_S,
        )

    @routes.post(
        "/token",
        summary="Whether somebody entered the code",
        response_model=SessionItem,
        responses={400: {"model": CodeError, "description": f"`error` is one of {', '.join(get_args(Waiting))}."}},
    )
    async def poll(
        device_code: Annotated[str, Form(max_length=100)], grant_type: Annotated[str, Form()] = GRANT_TYPE
    ) -> JSONResponse:
        """RFC 8628, 3.4. Ask every `interval` seconds. An answer that got lost is given again."""
        if grant_type != GRANT_TYPE:
            return _error("unsupported_grant_type", f"grant_type: expected {GRANT_TYPE}.")
        answer = await service.televisions.poll(device_code)
        if not isinstance(answer, Session):
            return _error(answer, WORDS[answer])
        return JSONResponse(session_item(answer, in_cookies=False).model_dump(), headers={"Cache-Control": "no-store"})

    @routes.get("/{user_code}", summary="The device that waits with a code", responses=RESPONSES)
    async def look(user_code: str, found: Mine, request: Request) -> GrantItem:
        """Show it to the member before they decide. 404 `unknown_code`; 429 after many wrong ones."""
        grant = await service.televisions.look(user_code, found[0], client(request))
        return GrantItem(
            user_code=grant.user_code, name=grant.device_name, type=grant.device_kind, network=grant.network
        )

    @routes.post("/decide", status_code=204, summary="Let the device in, or not", responses=RESPONSES)
    async def decide(asked: CodeDecision, found: Mine, request: Request) -> None:
        await service.televisions.decide(asked.user_code, found[0], asked.allow, client(request))

    return routes


def _error(code: str, words: str) -> JSONResponse:
    found = CodeError(error=code, error_description=words)
    return JSONResponse(found.model_dump(), HTTPStatus.BAD_REQUEST, {"Cache-Control": "no-store"})
