"""What every request of a service goes through: a measured time, and an end when its client leaves."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.metrics import HTTP_REQUEST_SECONDS, Metrics


class RequestTimes:
    """ASGI middleware. ``seconds`` is a monotonic clock."""

    def __init__(self, app: ASGIApp, metrics: Metrics, seconds: Callable[[], float]) -> None:
        self._app = app
        self._metrics = metrics
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self._seconds()

        async def send_and_measure(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.observe(
                    HTTP_REQUEST_SECONDS, self._seconds() - began, route=route_of(scope), status=message["status"]
                )
            await send(message)

        await self._app(scope, receive, send_and_measure)


def route_of(scope: Scope) -> str:
    """Such as ``/v1/device-codes/{user_code}``, for figures and logs: a path itself may have a secret in it."""
    found: str = getattr(scope.get("route"), "path", "other")
    return found


class EndsWithClient:
    """ASGI middleware: what is only read ends when its client leaves, since nobody waits for the answer any more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        answered = False
        unread = [await receive()]

        async def departure() -> Message:
            while (message := await receive())["type"] != "http.disconnect":
                """Of a body that nobody reads."""
            return message

        async def receive_once() -> Message:
            return unread.pop() if unread else await asyncio.shield(leaving)

        async def send_and_note(message: Message) -> None:
            nonlocal answered
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        leaving = asyncio.create_task(departure())

        async def answer() -> None:
            await self._app(scope, receive_once, send_and_note)

        answering = asyncio.create_task(answer())
        try:
            await asyncio.wait((leaving, answering), return_when=asyncio.FIRST_COMPLETED)
            if leaving.done() and not answered:
                answering.cancel()
                await asyncio.wait((answering,))
            else:
                await answering
        finally:
            leaving.cancel()
            answering.cancel()
