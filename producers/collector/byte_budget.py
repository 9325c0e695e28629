"""Bounds the memory for request bodies, from reading a body until its response."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class ByteBudget:
    """A limit in bytes. Requests that do not fit wait, first come, first served."""

    def __init__(self, limit: int, on_change: Callable[[int], None]) -> None:
        """``on_change`` receives the reserved bytes after every change."""
        self._limit = limit
        self._reserved = 0
        self._on_change = on_change
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, size: int, timeout_s: float) -> AsyncIterator[None]:
        """Reserve ``size`` bytes for the block. Raises TimeoutError if they are not free within ``timeout_s``."""
        size = min(size, self._limit)
        if self._waiting or self._reserved + size > self._limit:
            await self._wait(size, timeout_s)
        else:
            self._change(size)
        try:
            yield
        finally:
            self._change(-size)
            self._admit()

    async def _wait(self, size: int, timeout_s: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            async with asyncio.timeout(timeout_s):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._change(-size)  # admitted just as it timed out
            turn.cancel()
            self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif self._reserved + size <= self._limit:
                self._waiting.popleft()
                self._change(size)
                turn.set_result(None)
            else:
                return

    def _change(self, size: int) -> None:
        self._reserved += size
        self._on_change(self._reserved)
