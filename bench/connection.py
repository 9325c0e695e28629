"""A kept-alive connection that writes HTTP by hand, so that a bench's client takes little CPU from the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Connection:
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int, own_address: str = "127.0.0.1") -> AsyncIterator[Self]:
        """``own_address``: any of 127.0.0.0/8, as which the client comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(own_address, 0))
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def ask(self, line: str, body: bytes = b"", credential: str = "", kind: str = "") -> tuple[int, bytes]:
        """Status and body of the answer. ``line``: method and path; ``kind``: the content's type."""
        head = f"{line} HTTP/1.1\r\nHost: bench\r\n"
        head += f"Authorization: Bearer {credential}\r\n" if credential else ""
        head += f"Content-Type: {kind}\r\n" if kind else ""
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        length = int(answer.lower().partition("content-length:")[2].partition("\r")[0])
        return int(answer.split(" ", 2)[1]), await self._reader.readexactly(length)
