"""What people do with accounts, each as often as a few connections can within some seconds."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count

import psutil

from bench.accounts.members import PASSWORD
from bench.connection import Connection

CONNECTIONS = 8
"""Fewer than the failures that an address may have: a sign-in counts as one until its hash has been computed."""
JSON = "application/json"
Step = Callable[[], Awaitable[object]]
"""One request and its answer. Raises NothingLeft."""
Person = Callable[[int, Connection], Awaitable[Step]]
"""Gets ready. The number is the connection's."""


class NothingLeft(Exception):
    """There is nothing more to ask for."""


@dataclass(frozen=True, slots=True)
class Load:
    latencies: Sequence[float]
    """Seconds, in order."""
    seconds: float
    cpu_seconds: Sequence[float]
    """Of each process."""

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile_ms(self, share: float) -> float:
        return self.latencies[int(len(self.latencies) * share)] * 1000

    def cpu_ms(self, process: int) -> float:
        """For each request."""
        return self.cpu_seconds[process] / len(self.latencies) * 1000


async def over_connections(port: int, person: Person, seconds: float, *processes: psutil.Process) -> Load:
    """Each connection is ready, and has asked once, before anything counts."""
    async with AsyncExitStack() as all_open:
        connections = [await all_open.enter_async_context(Connection.open(port)) for _ in range(CONNECTIONS)]
        steps = await asyncio.gather(*(person(number, each) for number, each in enumerate(connections)))
        await asyncio.gather(*(step() for step in steps))
        return await load(steps, seconds, *processes)


async def load(steps: Sequence[Step], seconds: float, *processes: psutil.Process) -> Load:
    """What is asked in turn by each, all at the same time."""
    before, started = [_cpu_seconds(each) for each in processes], time.perf_counter()
    found = await asyncio.gather(*(_repeat(step, started + seconds) for step in steps))
    took = time.perf_counter() - started
    spent = [_cpu_seconds(each) - earlier for each, earlier in zip(processes, before, strict=True)]
    return Load(sorted(each for one in found for each in one), took, spent)


async def _repeat(step: Step, until: float) -> list[float]:
    latencies = []
    while (started := time.perf_counter()) < until:
        try:
            await step()
        except NothingLeft:
            break
        latencies.append(time.perf_counter() - started)
    return latencies


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def ask(connection: Connection, line: str, body: object = None, credential: str = "") -> dict[str, object]:
    """What was answered. RuntimeError if it is no success."""
    content = json.dumps(body).encode() if body else b""
    status, answer = await connection.ask(line, content, credential, JSON)
    if not 200 <= status < 300:
        raise RuntimeError(f"{line}: {status} {answer.decode(errors='replace')}")
    found: dict[str, object] = json.loads(answer)
    return found


async def sign_in(connection: Connection, address: str) -> dict[str, object]:
    return await ask(connection, "POST /v1/session", {"address": address, "password": PASSWORD})


def signs_in(addresses: Sequence[str]) -> Person:
    """Each time to another account: one account has fifty devices at most."""

    async def person(number: int, connection: Connection) -> Step:
        turns = count(number, CONNECTIONS)
        return lambda: sign_in(connection, addresses[next(turns) % len(addresses)])

    return person


def refreshes(addresses: Sequence[str]) -> Person:
    """A device that always has the newest token."""

    async def person(number: int, connection: Connection) -> Step:
        tokens = await sign_in(connection, addresses[number])

        async def step() -> None:
            newest = {"refresh_token": tokens["refresh_token"]}
            tokens.update(await ask(connection, "POST /v1/session/refresh", newest))

        return step

    return person


def looks_at_profiles(addresses: Sequence[str]) -> Person:
    async def person(number: int, connection: Connection) -> Step:
        token = str((await sign_in(connection, addresses[number]))["access_token"])
        return lambda: ask(connection, "GET /v1/accounts/me", credential=token)

    return person


def signs_up(links: Iterator[str]) -> Person:
    """From the link in the mail on: choose a password, and be signed in."""

    async def person(_: int, connection: Connection) -> Step:
        async def step() -> None:
            token = next(links, None)
            if token is None:
                raise NothingLeft
            begin = {"token": token, "password": PASSWORD, "name": "Ada", "country": "NL"}
            await ask(connection, "POST /v1/accounts/confirm", begin)

        return step

    return person
