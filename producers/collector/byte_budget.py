"""Room for request bodies: what the collector holds in memory between reading a body and answering it is bounded."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Room:
    """A bound in bytes. Who finds it full waits in line, first come first served."""

    def __init__(self, limit: int, watch: Callable[[int], None]) -> None:
        """``watch`` is told the bytes taken after every change."""
        self._limit = limit
        self._taken = 0
        self._watch = watch
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def take(self, size: int, patience: float) -> AsyncIterator[None]:
        """Hold ``size`` bytes for the block; TimeoutError if there was no room within ``patience`` seconds."""
        size = min(size, self._limit)
        if self._line or self._taken + size > self._limit:
            await self._wait(size, patience)
        else:
            self._change(size)
        try:
            yield
        finally:
            self._change(-size)
            self._admit()

    async def _wait(self, size: int, patience: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((size, turn))
        try:
            async with asyncio.timeout(patience):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._change(-size)  # admitted in the very moment of giving up
            turn.cancel()
            self._admit()
            raise

    def _admit(self) -> None:
        while self._line:
            size, turn = self._line[0]
            if turn.cancelled():
                self._line.popleft()
            elif self._taken + size <= self._limit:
                self._line.popleft()
                self._change(size)
                turn.set_result(None)
            else:
                return

    def _change(self, size: int) -> None:
        self._taken += size
        self._watch(self._taken)
