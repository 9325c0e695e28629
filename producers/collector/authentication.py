"""Who sends a request: a key, by its hash, or a token.

Either is in the header ``Authorization: Bearer``, or in ``?key=`` where a client sets no header, as players and beacons
do. A browser that signed in has its token in a cookie, which counts only if one of our pages sends it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from domain.api_keys import hashed
from domain.identity.tokens import PLAY_AGE_MS, Claims
from domain.identity.verifying import TokenRefused
from producers.collector.responses import Reply, RequestError, error_reply, unavailable
from producers.collector.sender import PUBLIC, SERVICE, Sender, of_token
from schemas.errors import TransientError

COOKIE = "playhead_member"
Verify = Callable[[str, int], Claims]
"""What a token says that was issued at most these milliseconds ago. Raises TokenRefused, and TransientError while it is
not known which tokens were revoked."""
_SERVICE_KEY = error_reply(
    403,
    "service_key",
    "A service key is not accepted through the gateway: send a member's token, or a public key for events without"
    " account and profile.",
)
_NO_SCOPE = error_reply(403, "no_scope", "This needs a token with the scope ingest.")


@dataclass(frozen=True, slots=True)
class Authentication:
    service_keys: Mapping[str, str]
    """Hashes of keys, by name."""
    public_keys: Mapping[str, str]
    verify: Verify
    pages: Collection[str] = ()
    """Hosts (``name:port``) whose pages may send with the cookie, besides the collector's own."""

    def sender(self, request: Request) -> Sender:
        """Raises RequestError."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        credential = given.strip() if scheme.lower() == "bearer" else request.query_params.get("key", "")
        if not credential and (cookie := request.cookies.get(COOKIE)):
            if urlsplit(request.headers.get("origin", "")).netloc not in {request.headers.get("host"), *self.pages}:
                raise RequestError(unauthorized("foreign_origin", "This request does not come from one of our pages."))
            credential = cookie
        if credential.count(".") == 2:
            return self._of_token(credential)
        digest = hashed(credential)
        if digest in self.public_keys.values():
            return PUBLIC
        if digest not in self.service_keys.values():
            raise RequestError(unauthorized("unauthorized", "Send a valid key or token, as Bearer or as ?key=."))
        if "x-forwarded-for" in request.headers:  # every gateway says for whom it asks
            raise RequestError(_SERVICE_KEY)
        return SERVICE

    def _of_token(self, token: str) -> Sender:
        try:
            found = of_token(self.verify(token, PLAY_AGE_MS))
        except TokenRefused as refused:
            raise RequestError(unauthorized(refused.code, str(refused))) from refused
        except TransientError as unknown:
            message = "Which tokens were revoked is not known yet. Send the same request again."
            raise RequestError(unavailable("starting", message)) from unknown
        if found is None:
            raise RequestError(_NO_SCOPE)
        return found


def unauthorized(code: str, message: str) -> Reply:
    return Reply(401, {"code": code, "message": message}, {"WWW-Authenticate": "Bearer"})
