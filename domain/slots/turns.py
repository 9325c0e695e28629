"""Turns: those who ask for slots of one account at the same moment do it one after the other, in one process.

Conditional writes to one account hinder each other: of many at once, none may come to an end. One that has waited does
not ask the store for what those before it found.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from domain.slots.model import Stream


@dataclass(slots=True)
class _Line:
    free: asyncio.Lock = field(default_factory=asyncio.Lock)
    asking: int = 0
    found: dict[int, Stream] = field(default_factory=dict)


class Turns:
    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, account_id: str) -> AsyncIterator[dict[int, Stream]]:
        """A turn for the block. Slots that those before found taken, by number: add what you find."""
        line = self._lines.setdefault(account_id, _Line())
        line.asking += 1
        try:
            async with line.free:
                yield line.found
        finally:
            line.asking -= 1
            if not line.asking:
                del self._lines[account_id]
