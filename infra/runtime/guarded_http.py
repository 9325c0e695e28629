"""uvicorn's HTTP protocol with the limits that it lacks: what may arrive for one request, and how long that may take.

The gateway has stricter ones. These keep a process alive that somebody reaches without it: its parser would collect a
header, a trailer or a chunk's extension without end, and wait for the rest of a request for ever.
"""

from asyncio import BaseTransport, TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_BYTES = 16_384
"""For all of a request that is not its body, give or take one read of the socket."""
BODY_BYTES = 2 * 2**20
"""For a body that no handler has answered. The collector answers at half of it."""
HEAD_SECONDS = 10.0
REQUEST_SECONDS = 30.0
"""For all of it. Time in which we do not read does not count."""
LINGER_SECONDS = 1.0
"""After a refusal: what still arrives is dropped, at most as much as a body, so that the client reads why. Else the
system would reset the connection."""
FRAMING_BYTES = 16
"""What a client may send around each chunk of a body."""


class GuardedProtocol(HttpToolsProtocol):
    """What arrives whole, in one read, costs no timer."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._outside = 0
        self._inside = 0
        self._arriving = self._in_head = True  # from the connection on
        self._refused = False
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._await_rest(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._outside += len(data)
        if self._refused:
            if self._outside > BODY_BYTES:
                self.transport.close()
            return
        super().data_received(data)
        if self._outside > HEAD_BYTES:
            self._refuse(431, "headers_too_large", f"The headers are larger than {HEAD_BYTES} bytes.")
        elif self._inside > BODY_BYTES:
            self._refuse(413, "body_too_large", f"The body is larger than {BODY_BYTES} bytes.")
        elif self._arriving and self._timer is None:
            self._await_rest(HEAD_SECONDS if self._in_head else REQUEST_SECONDS)

    def on_message_begin(self) -> None:
        self._outside = self._inside = 0
        self._arriving = self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._outside = max(0, self._outside - len(body) - FRAMING_BYTES)
        if not self.cycle.response_complete:
            self._inside += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._arriving = False
        self._stop_waiting()
        super().on_message_complete()

    def _await_rest(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._on_time, self._in_head)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_time(self, began_in_head: bool) -> None:
        self._timer = None
        if self.flow.read_paused or (began_in_head and not self._in_head):
            self._await_rest(REQUEST_SECONDS)
        else:
            self._refuse(408, "request_timeout", "The request did not arrive in time.")

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer, unless an answer is under way, and close a moment later. The handler sees a client that has left."""
        if self.transport.is_closing():
            return
        self._refused = True
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            content = f'{{"code":"{code}","message":"{message}"}}'.encode()
            head = f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head.encode() + content)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._stop_waiting()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
