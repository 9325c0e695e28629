"""Turns: one profile's reads share what one profile may take, however many ask for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from schemas.errors import TransientError

AT_ONCE = 2
"""Reads of one profile. A page that makes three reads waits for one of them."""
MOST_ASKING = 16
READ_SECONDS = 10.0
"""For a read, its turn included."""


@dataclass(slots=True)
class _Line:
    free: asyncio.Semaphore
    asking: int = 0


class Turns:
    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def of(self, profile_id: str) -> AsyncIterator[None]:
        """A turn for the block, within ``READ_SECONDS``. Raises TransientError if there is none, or it takes longer."""
        line = self._lines.setdefault(profile_id, _Line(asyncio.Semaphore(AT_ONCE)))
        if line.asking >= MOST_ASKING:
            raise TransientError(f"{line.asking} reads of one profile are under way")
        line.asking += 1
        try:
            async with asyncio.timeout(READ_SECONDS), line.free:
                yield
        except TimeoutError as error:
            raise TransientError(f"a read of one profile took {READ_SECONDS:g} s") from error
        finally:
            line.asking -= 1
            if not line.asking:
                del self._lines[profile_id]
