"""Whether the time of a refused sign-in says that an address has an account: known and unknown ones in turn."""

import json
import time
from collections.abc import Sequence
from statistics import median

from bench.accounts.requests import JSON
from bench.connection import Connection


async def medians_ms(port: int, known: Sequence[str]) -> tuple[float, float]:
    """Of known addresses with a wrong password, and of as many unknown ones. Each attempt comes from another address of
    the loopback network, since failures are limited for each. RuntimeError if one is not refused as expected."""
    seconds: tuple[list[float], list[float]] = [], []
    for number, address in enumerate(known):
        for side, named in enumerate((address, f"un{address}")):
            own = f"127.{1 + side}.{number // 8}.{1 + number % 8}"
            body = json.dumps({"address": named, "password": "what nobody has here"}).encode()
            async with Connection.open(port, own) as connection:
                started = time.perf_counter()
                status, answer = await connection.ask("POST /v1/session", body, kind=JSON)
                seconds[side].append(time.perf_counter() - started)
            if status != 401:
                raise RuntimeError(f"{status} {answer.decode(errors='replace')}")
    return median(seconds[0]) * 1000, median(seconds[1]) * 1000
