"""What the routes and pages of accounts share: the use cases, who asks, cookies, and how a refusal is answered."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from msgspec.structs import replace
from starlette.responses import RedirectResponse

from domain.accounts.context import PROOF_MS, Client, Context, Session
from domain.accounts.model import TOKEN_MS, Account, Device
from domain.accounts.ports import Outbound
from domain.accounts.profiles import Profiles
from domain.accounts.refusals import Code, Refused
from domain.accounts.registration import Registration
from domain.accounts.sessions import SILENT_MS, Sessions
from domain.accounts.television import Televisions
from domain.identity.tokens import Member
from domain.identity.verifying import Verifier
from domain.metrics import SIGN_INS, Metrics
from schemas.events import DeviceType
from services.http.errors import Refusal
from services.http.identity import COOKIE, Identity, forget, remember, unauthorized

REFRESH_COOKIE, DEVICE_COOKIE = "playhead_refresh", "playhead_device"
SESSION_PATH = "/v1/session"
RENEW = f"{SESSION_PATH}/renew"
STATUSES: dict[Code, HTTPStatus] = {
    "too_many_tries": HTTPStatus.TOO_MANY_REQUESTS,
    "pin_locked": HTTPStatus.TOO_MANY_REQUESTS,
    "wrong_credentials": HTTPStatus.UNAUTHORIZED,
    "signed_out": HTTPStatus.UNAUTHORIZED,
    "password_needed": HTTPStatus.FORBIDDEN,
    "wrong_password": HTTPStatus.FORBIDDEN,
    "pin_needed": HTTPStatus.FORBIDDEN,
    "wrong_pin": HTTPStatus.FORBIDDEN,
    "unknown_profile": HTTPStatus.NOT_FOUND,
    "unknown_device": HTTPStatus.NOT_FOUND,
    "unknown_code": HTTPStatus.NOT_FOUND,
    "too_many_profiles": HTTPStatus.CONFLICT,
    "last_profile": HTTPStatus.CONFLICT,
}
"""Of refusals; all others are 400."""


@dataclass(frozen=True)
class AccountsService:
    context: Context
    outbound: Outbound
    verifier: Verifier
    public_url: str
    """Of the gateway, for links in mails and on televisions."""
    on_loopback: bool
    ready: Callable[[], Awaitable[None]]
    """Raises TransientError while accounts cannot be read."""
    metrics: Metrics
    origins: Collection[str] = ()
    """Of web apps elsewhere that may sign people in."""

    @cached_property
    def identity(self) -> Identity:
        return Identity(self.verifier, self.origins)

    @cached_property
    def registration(self) -> Registration:
        return Registration(self.context)

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.context)

    @cached_property
    def profiles(self) -> Profiles:
        return Profiles(self.context)

    @cached_property
    def televisions(self) -> Televisions:
        return Televisions(self.context)

    async def signed_in(self, member: Member) -> tuple[Account, Device]:
        """The account and device of a token, as they are now. We need not wait for a revocation to arrive. A token from
        before the device's last sign-in holds no more."""
        account = await self.context.store.by_id(member.account_id)
        device = account.device(member.device_id) if account else None
        if account is None or device is None or member.issued_at < device.signed_in_at:
            raise unauthorized("revoked_token", "This device is signed out. Sign in again.")
        return account, device

    async def sign_in(self, address: str, password: str, who: Client) -> Session:
        try:
            session = await self.sessions.sign_in(address, password, who)
        except Refused as refused:
            self.metrics.increment(SIGN_INS, outcome="limited" if refused.wait_ms else "wrong")
            raise
        self.metrics.increment(SIGN_INS, outcome="ok")
        return session

    def whose(self, max_age_ms: int) -> Callable[..., Awaitable[tuple[Account, Device]]]:
        """A dependency: account and device of the request's token, which was issued at most ``max_age_ms`` ago."""

        async def check(
            member: Annotated[Member, Depends(self.identity.member(max_age_ms))],
        ) -> tuple[Account, Device]:
            return await self.signed_in(member)

        return check

    def access_token(self, account: Account, device_id: str, in_place_of: Member | None = None) -> str:
        """``in_place_of``: a token that says something else now, and ends when it ended. Only a refresh, or the
        password, makes a younger one."""
        device = account.device(device_id)
        if device is None:
            raise Refused("signed_out")
        member = account.member(device, self.context.now())
        if in_place_of:
            member = replace(member, issued_at=in_place_of.issued_at, expires_at=in_place_of.expires_at)
        return self.context.signer.sign(member)


def client(request: Request, name: str = "Browser", kind: DeviceType = "desktop", proof: str | None = None) -> Client:
    """``proof``: of a device that is no browser; a browser's is in its cookie."""
    address = request.client.host if request.client else ""
    return Client(address, name, kind, proof or request.cookies.get(DEVICE_COOKIE))


def member_client(request: Request, device: Device) -> Client:
    """``device``: that of the request's token."""
    return Client(client(request).address, device.name, device.kind, device_id=device.device_id)


def keep(request: Request, response: Response, session: Session) -> None:
    """Sign the browser in."""
    keep_access(request, response, session.access_token)
    remember(request, response, REFRESH_COOKIE, session.refresh_token, SILENT_MS // 1000, SESSION_PATH)
    remember(request, response, DEVICE_COOKIE, session.proof, PROOF_MS // 1000)


def keep_access(request: Request, response: Response, access_token: str) -> None:
    """Another profile, or a token that is younger."""
    remember(request, response, COOKIE, access_token, TOKEN_MS // 1000)


def drop(response: Response) -> None:
    """Sign the browser out. It stays a device that was here before."""
    forget(response, COOKIE)
    forget(response, REFRESH_COOKIE, SESSION_PATH)


def own_page(to: str) -> str:
    """Where a page may lead its reader: only to our own pages."""
    is_ours = to.startswith(("/account", "/watch/")) and to.isprintable() and "\\" not in to
    return to if is_ours else "/account"


class Elsewhere(Exception):
    """Ends a page with a redirect."""

    def __init__(self, path: str, status: HTTPStatus = HTTPStatus.SEE_OTHER) -> None:
        super().__init__(path)
        self.path = path
        self.status = status


def refusal(refused: Refused) -> Refusal:
    """As a problem document."""
    headers = {}
    if refused.wait_ms:
        headers["Retry-After"] = str(-(-refused.wait_ms // 1000))
    return Refusal(
        STATUSES.get(refused.code, HTTPStatus.BAD_REQUEST), refused.code, str(refused), refused.field, headers=headers
    )


def install(app: FastAPI) -> None:
    """Answers to what the use cases and pages raise."""
    answer: Any = app.exception_handlers[Refusal]

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        found: Response = await answer(request, refusal(error))
        return found

    @app.exception_handler(Elsewhere)
    async def elsewhere(_: Request, error: Elsewhere) -> Response:
        return RedirectResponse(error.path, error.status)
