"""A TCP address in front of a server. Once, on demand, it loses an answer or keeps a request back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Line:
    port: int = 0
    lose_answer: bool = False
    """The next answer never arrives: the client's connection is closed instead."""
    keep_request: bool = False
    """The next request is kept back, and the client's connection is closed. The server notices nothing."""
    kept: asyncio.Event = field(default_factory=asyncio.Event)
    """It keeps one back now."""
    _kept: list[tuple[asyncio.StreamWriter, bytes]] = field(default_factory=list)
    _open: list[asyncio.StreamWriter] = field(default_factory=list)

    async def deliver(self) -> None:
        """Send the request that was kept back."""
        server, request = self._kept.pop()
        server.write(request)
        await server.drain()

    def drop(self) -> None:
        """Lose the request that was kept back for good: the server's connection ends, too."""
        self._kept.pop()[0].close()

    async def requests(
        self, client: asyncio.StreamReader, server: asyncio.StreamWriter, back: asyncio.Task[None]
    ) -> None:
        while data := await client.read(65536):
            if self.keep_request:
                self.keep_request = False
                self._kept.append((server, data))
                self.kept.set()
                back.cancel()
                return
            server.write(data)
        server.close()

    async def answers(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            while data := await server.read(65536):
                if self.lose_answer:
                    self.lose_answer = False
                    return
                client.write(data)
        finally:
            client.close()


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """In front of a server at that port of this machine."""
    line = Line()

    async def connected(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        server_in, server_out = await asyncio.open_connection("127.0.0.1", port)
        line._open.append(server_out)
        back = asyncio.create_task(line.answers(server_in, client_out))
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(line.requests(client_in, server_out, back), back)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        for each in line._open:
            each.close()
