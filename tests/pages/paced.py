"""An edge on a slow line: all that it sends shares its bits a second."""

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Line:
    """``mbit_per_s`` may change at any time; None is as fast as the machine."""

    mbit_per_s: float | None = None
    _free_at: float = 0.0

    async def carry(self, size: int) -> None:
        """Returns once these bytes have passed."""
        now = asyncio.get_running_loop().time()
        if self.mbit_per_s is None:
            self._free_at = now
            return
        self._free_at = max(self._free_at, now) + size * 8 / (self.mbit_per_s * 1e6)
        await asyncio.sleep(self._free_at - now)


PIECE = 8 * 1024


def paced(app: ASGIApp, line: Line) -> ASGIApp:
    async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
        async def carried(message: Message) -> None:
            body = message.get("body", b"")
            for start in range(0, len(body), PIECE):
                piece = body[start : start + PIECE]
                await line.carry(len(piece))
                more = start + PIECE < len(body) or message.get("more_body", False)
                await send({"type": "http.response.body", "body": piece, "more_body": more})
            if not body:
                await send(message)

        await app(scope, receive, carried)

    return slowly
