"""What the same costs without a service: the hash alone, the smallest query alone, a signature alone."""

import time
import timeit
from collections.abc import Callable
from contextlib import AsyncExitStack

import psutil
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from bench.accounts.members import PASSWORD
from bench.accounts.requests import CONNECTIONS, Load, Step, load
from domain.identity.tokens import PLAY_AGE_MS
from infra.engines.mariadb_nodes import access, open_connection
from infra.runtime import local_tokens, token_keys
from infra.runtime.password_hashes import LANES, MEMORY_KIB, PASSES, PasswordHashes
from infra.runtime.settings import Settings

ROUNDS, TIMES = 20, 100


async def hash_alone(seconds: float) -> Load:
    """By as many threads as accounts has, in this process."""
    hashes, hashed = PasswordHashes(), PasswordHasher(PASSES, MEMORY_KIB, LANES).hash(PASSWORD)
    try:
        return await load([lambda: hashes.matches(hashed, PASSWORD)] * CONNECTIONS, seconds, psutil.Process())
    finally:
        hashes.close()


async def query_alone(settings: Settings, seconds: float, mariadb: psutil.Process) -> Load:
    """``SELECT 1`` by the service's driver, in this process."""
    async with AsyncExitStack() as all_open:

        async def selects() -> Step:
            connection = await open_connection(access(settings, "accounts"), "reader")
            all_open.callback(connection.close)
            cursor = await all_open.enter_async_context(connection.cursor())
            return lambda: cursor.execute("SELECT 1")

        return await load([await selects() for _ in range(CONNECTIONS)], seconds, psutil.Process(), mariadb)


def tokens_us(settings: Settings) -> tuple[float, float, float]:
    """Processor time of a token that is new to a service, of one that it knows, and of a bare signature as long."""
    member, signer = local_tokens.member(["bench"], None), token_keys.signer(settings)
    tokens = [signer.sign(replace(member, issued_at=member.issued_at - age)) for age in range(ROUNDS * TIMES)]
    verifier, unseen = token_keys.verifier(settings), iter(tokens)
    signed = tokens[0].rpartition(".")[0].encode()
    private = Ed25519PrivateKey.generate()
    public, signature = private.public_key(), private.sign(signed)
    return (
        _us(lambda: verifier.verify(next(unseen), PLAY_AGE_MS)),
        _us(lambda: verifier.verify(tokens[0], PLAY_AGE_MS)),
        _us(lambda: public.verify(signature, signed)),
    )


def _us(work: Callable[[], object]) -> float:
    """The best of some rounds."""
    return min(timeit.repeat(work, timer=time.process_time, number=TIMES, repeat=ROUNDS)) / TIMES * 1e6
