"""The other members: what they notice of an attack."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

import httpx

from bench.attack.attacks import LOOPBACK, request_body

EVERY_S = 0.1
MEMBERS = 20
T = TypeVar("T")


@dataclass(slots=True)
class Noticed:
    """Of all requests of one kind."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    """Not answered, or with 4xx or 5xx."""

    def milliseconds(self, share: float) -> float:
        """A percentile."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else float("nan")


@dataclass(slots=True)
class Members:
    """Every tenth of a second one sends an event, and another one reads a list."""

    port: int
    """Of what answers both."""
    token: Mapping[str, str]
    """The header with which events are sent and lists are read."""
    sends: Noticed = field(default_factory=Noticed)
    reads: Noticed = field(default_factory=Noticed)

    async def during(self, attack: Awaitable[T]) -> T:
        attacking = asyncio.ensure_future(attack)
        base = f"http://{LOOPBACK}:{self.port}"
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=base, timeout=30, limits=limits) as client, asyncio.TaskGroup() as tasks:
            for number in count():
                if attacking.done():
                    break
                body = request_body(f"member-{number % MEMBERS}", [number])
                sending = client.post("/v1/events", content=body, headers=self.token)
                list_of = f"/v1/profiles/member-{(number + 7) % MEMBERS}/continue-watching"
                reading = client.get(list_of, headers=self.token)
                tasks.create_task(_note(self.sends, sending))
                tasks.create_task(_note(self.reads, reading))
                await asyncio.sleep(EVERY_S)
        return await attacking


async def _note(noticed: Noticed, request: Awaitable[httpx.Response]) -> None:
    began = time.perf_counter()
    try:
        answer = await request
    except httpx.HTTPError:
        noticed.failed += 1
    else:
        noticed.failed += answer.is_error
    noticed.seconds.append(time.perf_counter() - began)
