"""What every answer over HTTP has, from any process: headers that keep a page to itself, and the request's id.

Plain ASGI: the collector and the services share it, and frameworks stay above.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

from structlog.contextvars import bound_contextvars

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
REQUEST_ID = "X-Request-Id"
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_RAW_REQUEST_ID = REQUEST_ID.lower().encode()
_ID = re.compile(rb"[0-9A-Za-z-]{8,64}")


def request_id(scope: Scope) -> str:
    """Of a request that ``RequestIds`` has seen."""
    found: str = scope["playhead.request_id"]
    return found


class SecurityHeaders:
    """Adds ``HEADERS`` that an answer does not have: a page may have a policy of its kind."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message.get("headers", ())]
                names = {name.lower() for name, _ in given}
                message["headers"] = given + [each for each in _RAW_HEADERS if each[0] not in names]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RequestIds:
    """Gives each request an id: the gateway's, or a new one. The answer and every line of its log have it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == _RAW_REQUEST_ID), b"")
        found = given if _ID.fullmatch(given) else uuid4().hex.encode()
        scope["playhead.request_id"] = found.decode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (_RAW_REQUEST_ID, found)]
            await send(message)

        with bound_contextvars(request=scope["playhead.request_id"]):
            await self._app(scope, receive, send_with_id)
