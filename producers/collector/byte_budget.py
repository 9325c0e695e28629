"""Bounds the memory for request bodies, from their first byte until their response.

What a client announces counts nothing: eighty sockets that announce much and send nothing would close the door.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class NoRoom(Exception):
    """The bytes were not free in time."""


class ByteBudget:
    """A limit in bytes. Requests that do not fit wait, first come, first served."""

    def __init__(self, limit: int, on_change: Callable[[int], None]) -> None:
        """``on_change`` receives the taken bytes after every change."""
        self._limit = limit
        self._taken = 0
        self._on_change = on_change
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def room(self, timeout_s: float) -> Iterator["Room"]:
        """Of one request: empty at first, given back at the end. It waits at most ``timeout_s`` for each part."""
        room = Room(self, timeout_s)
        try:
            yield room
        finally:
            room.shrink(0)

    async def take(self, size: int, timeout_s: float) -> None:
        """Raises NoRoom."""
        if self._waiting or self._taken + size > self._limit:
            await self._wait(size, timeout_s)
        else:
            self._change(size)

    def give_back(self, size: int) -> None:
        self._change(-size)
        self._admit()

    async def _wait(self, size: int, timeout_s: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            async with asyncio.timeout(timeout_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._change(-size)  # admitted just as it timed out
            turn.cancel()
            self._admit()
            if isinstance(error, TimeoutError):
                raise NoRoom from None
            raise

    def _admit(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
            elif self._taken + size <= self._limit:
                self._waiting.popleft()
                self._change(size)
                turn.set_result(None)
            else:
                return

    def _change(self, size: int) -> None:
        self._taken += size
        self._on_change(self._taken)


class Room:
    """What one request has taken of a budget."""

    def __init__(self, budget: ByteBudget, timeout_s: float) -> None:
        self._budget = budget
        self._timeout_s = timeout_s
        self.bytes = 0

    async def grow(self, size: int) -> None:
        """By ``size`` bytes. Raises NoRoom."""
        await self._budget.take(size, self._timeout_s)
        self.bytes += size

    def shrink(self, size: int) -> None:
        """To ``size`` bytes, if it has more."""
        if self.bytes > size:
            surplus, self.bytes = self.bytes - size, size
            self._budget.give_back(surplus)
