"""Who asks: a token in ``Authorization: Bearer``, or in the cookie of a browser that signed in.

A browser sends a cookie by itself, also when another page asked it to. So a request that changes something and comes
with the cookie must come from one of our own pages: its ``Origin`` says which.
"""

from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from domain.identity.tokens import PLAY_AGE_MS, Claims, Member, PlaySession, Scope, Staff
from domain.identity.verifying import TokenRefused, Verifier
from services.http.errors import Refusal
from services.http.parameters import ProfileId

COOKIE = "playhead_member"
LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")
SAFE = ("GET", "HEAD", "OPTIONS")
SIGN_IN = (
    "Send a token: Authorization: Bearer <token>. `playhead token --profile <id>` prints one for this machine's use."
)
_BEARER = HTTPBearer(auto_error=False, bearerFormat="JWT", description="A member's token, or one of the staff.")
_COOKIE = APIKeyCookie(name=COOKIE, auto_error=False, description="The same token in a browser that signed in.")


class Presented(NamedTuple):
    token: str
    by_cookie: bool


def presented(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    cookie: Annotated[str | None, Depends(_COOKIE)],
) -> Presented | None:
    """The token of a request. A header that somebody wrote counts more than a cookie that the browser added."""
    if bearer:
        return Presented(bearer.credentials, by_cookie=False)
    return Presented(cookie, by_cookie=True) if cookie else None


Given = Annotated[Presented | None, Depends(presented)]


def _token(given: Given) -> str:
    return given.token if given else ""


Token = Annotated[str, Depends(_token)]
"""The token of a request, for a question to another service in the same name; empty: none."""


class Identity:
    """Dependencies for routes. Each answers 401 without a good token, and 403 for one that does not open this. They are
    coroutines, because a verifier belongs to one thread.

    ``origins``: of pages elsewhere that may ask with the cookie. ``sign_in``: the answer to a request without a token.
    """

    def __init__(self, verifier: Verifier, origins: Collection[str] = (), sign_in: str = SIGN_IN) -> None:
        self._verifier = verifier
        self._origins = frozenset(origins)
        self._sign_in = sign_in

    def member(self, max_age_ms: int = PLAY_AGE_MS) -> Callable[..., Awaitable[Member]]:
        """A signed-in member, whose token was issued at most ``max_age_ms`` ago."""

        async def check(request: Request, given: Given) -> Member:
            claims = self._claims(request, given, max_age_ms)
            if not isinstance(claims, Member):
                raise Refusal(HTTPStatus.FORBIDDEN, "member_needed", "This needs a member's token.")
            return claims

        return check

    def staff(self, *scopes: Scope) -> Callable[..., Awaitable[Staff]]:
        """A person of the staff with one of the scopes."""

        async def check(request: Request, given: Given) -> Staff:
            return _in_scope(self._claims(request, given, PLAY_AGE_MS), *scopes)

        return check

    def reader(self) -> Callable[..., Awaitable[Member | Staff]]:
        """A member whose account has the profile in the path, or staff with the scope ``support``."""

        async def check(request: Request, profile_id: ProfileId, given: Given) -> Member | Staff:
            claims = self._claims(request, given, PLAY_AGE_MS)
            if isinstance(claims, Member):
                return owned(claims, profile_id)
            return _in_scope(claims, "support")

        return check

    def play(self) -> Callable[..., Awaitable[PlaySession]]:
        """A play, by the token that its start was answered with."""

        async def check(request: Request, given: Given) -> PlaySession:
            claims = self._claims(request, given, PLAY_AGE_MS)
            if not isinstance(claims, PlaySession):
                raise Refusal(HTTPStatus.FORBIDDEN, "play_needed", "This needs the report_token of a play.")
            return claims

        return check

    def require_page(self, request: Request) -> None:
        """403 unless a page of this address, or of one of the origins, sent the request."""
        require_own_page(request, self._origins)

    def _claims(self, request: Request, given: Presented | None, max_age_ms: int) -> Claims:
        if given is None:
            raise unauthorized("no_token", self._sign_in)
        if given.by_cookie and request.method not in SAFE:
            self.require_page(request)
        try:
            return self._verifier.verify(given.token, max_age_ms)
        except TokenRefused as refused:
            raise unauthorized(refused.code, str(refused)) from refused


def require_own_page(request: Request, origins: Collection[str] = ()) -> None:
    """403 unless a page of this address, or of one of the origins, sent the request. Where we are asked over HTTPS, a
    page in the clear is not ours: anybody on the way may have written it."""
    origin = request.headers.get("Origin", "")
    page = urlsplit(origin)
    is_ours = page.netloc == request.headers.get("Host") and (page.scheme, request.url.scheme) != ("http", "https")
    if not is_ours and origin not in origins:
        raise Refusal(HTTPStatus.FORBIDDEN, "foreign_origin", "This request does not come from one of our pages.")


def require_local_name(request: Request) -> None:
    """403 under a foreign name that leads to this machine (DNS rebinding): its page could read our answers."""
    if request.url.hostname not in LOCAL_NAMES:
        message = f"Open this page as 127.0.0.1 or localhost, not as {request.url.hostname}."
        raise Refusal(HTTPStatus.FORBIDDEN, "foreign_host", message)


def remember(request: Request, response: Response, name: str, value: str, seconds: int, path: str = "/") -> None:
    """A cookie that signs a browser in, at all services of this host: cookies ignore ports. No script reads it, and no
    other site sends it. Over plain HTTP anybody on the way could, so only this machine's browser is signed in by it:
    403 for others."""
    secure = request.url.scheme == "https"
    if not secure and request.url.hostname not in LOCAL_NAMES:
        message = "Open this page with https: with http, anybody on the way could read what signs you in."
        raise Refusal(HTTPStatus.FORBIDDEN, "https_needed", message)
    response.set_cookie(name, value, max_age=seconds, path=path, secure=secure, httponly=True, samesite="strict")


def forget(response: Response, name: str, path: str = "/") -> None:
    """Takes the cookie of ``remember`` away."""
    response.delete_cookie(name, path=path, httponly=True, samesite="strict")


def owned(member: Member, profile_id: str) -> Member:
    """403 unless the profile is one of the member's account."""
    if not member.owns(profile_id):
        raise Refusal(HTTPStatus.FORBIDDEN, "not_yours", "This profile is not of your account.", "profile_id")
    return member


def unauthorized(code: str, detail: str) -> Refusal:
    return Refusal(HTTPStatus.UNAUTHORIZED, code, detail, headers={"WWW-Authenticate": "Bearer"})


def _in_scope(claims: Claims, *scopes: Scope) -> Staff:
    if isinstance(claims, Staff) and not claims.scopes.isdisjoint(scopes):
        return claims
    raise Refusal(HTTPStatus.FORBIDDEN, "no_scope", f"This needs a token with the scope {' or '.join(scopes)}.")
