"""Argon2id hashes of passwords and PINs, a few at a time: each takes 19 MiB and a processor for tens of ms."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.errors import TransientError

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
"""OWASP's first choice."""
THREADS, MOST_WAITING = 2, 50
T = TypeVar("T")


class PasswordHashes:
    def __init__(self, memory_kib: int = MEMORY_KIB) -> None:
        """``memory_kib``: less makes tests quick."""
        self._argon2 = PasswordHasher(PASSES, memory_kib, LANES)
        self._pool = ThreadPoolExecutor(THREADS, "argon2")
        self._waiting = 0
        self._unknown = self._argon2.hash("a password that nobody has")

    async def hash(self, secret: str) -> str:
        return await self._run(lambda: self._argon2.hash(secret))

    async def matches(self, hashed: str | None, secret: str) -> bool:
        right = await self._run(lambda: self._verify(hashed or self._unknown, secret))
        return right and hashed is not None

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _verify(self, hashed: str, secret: str) -> bool:
        try:
            return self._argon2.verify(hashed, secret)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= THREADS + MOST_WAITING:
            raise TransientError("too many passwords wait to be checked")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
