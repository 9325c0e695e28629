"""Hashes of passwords: what is kept, what matches, and what happens when too many are asked for."""

import asyncio
from collections.abc import Iterator

import pytest

from infra.runtime.password_hashes import PasswordHashes
from schemas.errors import TransientError


@pytest.fixture
def hashes() -> Iterator[PasswordHashes]:
    found = PasswordHashes(memory_kib=64)
    yield found
    found.close()


async def test_only_the_right_password_matches(hashes: PasswordHashes) -> None:
    kept = await hashes.hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=64,t=2,p=1$")
    assert await hashes.matches(kept, "correct horse")
    assert not await hashes.matches(kept, "correct horses")
    assert not await hashes.matches("not a hash", "correct horse")


async def test_without_a_hash_nothing_matches(hashes: PasswordHashes) -> None:
    assert not await hashes.matches(None, "a password that nobody has")


async def test_too_many_at_once_are_refused_at_once_and_the_others_answered(hashes: PasswordHashes) -> None:
    answers = await asyncio.gather(*(hashes.matches(None, "x") for _ in range(60)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, TransientError)]
    assert len(refused) == 8
    assert answers.count(False) == 52
    assert not await hashes.matches(None, "x")
