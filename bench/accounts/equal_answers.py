"""Whether the time of a refused sign-in says that an address has an account."""

import json
import time
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from bench.accounts.requests import JSON
from bench.connection import Connection


class Medians(NamedTuple):
    """Milliseconds until the refusal, by whose address was tried with a wrong password."""

    known: float
    unknown: float
    also_unknown: float
    """How far it is from ``unknown`` is chance."""


async def refused(port: int, addresses: Sequence[str]) -> Medians:
    """Of addresses with an account and of twice as many without, in turn. RuntimeError if one gets another answer.

    Each attempt comes from another address of the loopback network, since failures are limited for each.
    """
    seconds: tuple[list[float], ...] = ([], [], [])
    for number, address in enumerate(addresses):
        sides = [(0, address), (1, f"un{address}"), (2, f"also-un{address}")]
        first = number % len(sides)  # each side comes first as often as the others
        for side, named in sides[first:] + sides[:first]:
            own = f"127.{1 + side}.{number // 8}.{1 + number % 8}"
            seconds[side].append(await _refused(port, own, named))
    return Medians(*(median(each) * 1000 for each in seconds))


async def _refused(port: int, own_address: str, address: str) -> float:
    body = json.dumps({"address": address, "password": "what nobody has here"}).encode()
    async with Connection.open(port, own_address) as connection:
        started = time.perf_counter()
        status, answer = await connection.ask("POST /v1/session", body, kind=JSON)
        took = time.perf_counter() - started
    if status != 401:
        raise RuntimeError(f"{status} {answer.decode(errors='replace')}")
    return took
