"""A client that announces much and sends little takes no room from others, and is dropped."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest

from domain.metrics import COLLECTOR_REFUSED
from producers.collector import body
from producers.collector.examples import SENT_AT
from tests.unit.producers.collector.conftest import Collector, event, until

BODY = json.dumps({"sent_at": SENT_AT, "events": [event()]}).encode()
MIB = 2**20


async def in_two_parts(whole: bytes, first: int, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    yield whole[:first]
    await go_on.wait()
    yield whole[first:]


@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": str(MIB)}, {"Content-Length": str(MIB), "Content-Encoding": "gzip"}, {}],
    ids=["announced", "gzip", "chunked"],
)
async def test_only_bytes_that_came_take_room(collector: Collector, headers: dict[str, str]) -> None:
    go_on = asyncio.Event()
    whole = gzip.compress(BODY) if "Content-Encoding" in headers else BODY
    slow = [
        asyncio.create_task(collector.post(content=in_two_parts(whole, 1, go_on), headers=headers)) for _ in range(80)
    ]
    await until(lambda: collector.in_flight == 80)

    assert (await collector.post(event())).status_code == 202
    assert collector.in_flight == 80

    go_on.set()
    assert {(await each).status_code for each in slow} == {202}
    assert collector.in_flight == 0


async def test_a_packed_body_takes_the_room_of_what_is_in_it(collector: Collector) -> None:
    collector.log.gate.clear()
    packed = gzip.compress(BODY + b" " * 100_000)
    waiting = asyncio.create_task(collector.post(content=packed, headers={"Content-Encoding": "gzip"}))
    await collector.log.asked.wait()

    assert collector.in_flight == len(packed) + len(BODY) + 100_000

    collector.log.gate.set()
    assert (await waiting).status_code == 202


async def test_a_body_that_stops_coming_is_dropped_with_its_connection(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "GRACE_SECONDS", 0.01)

    answer = await collector.post(content=in_two_parts(BODY, 10, asyncio.Event()))

    assert (answer.status_code, answer.json()["code"]) == (408, "body_timeout")
    assert answer.headers["Connection"] == "close"
    assert collector.metrics.by(COLLECTOR_REFUSED, "code") == {"body_timeout": 1}
    assert collector.in_flight == 0


async def test_what_a_body_brings_earns_it_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(body, "FLOOR_BYTES", 1)
    came: list[int] = []

    async def grow(size: int) -> None:
        came.append(size)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1_000
            await asyncio.sleep(0.001)

    assert await body.read(parts(), grow) == b"x" * 3_000
    assert came == [1_000] * 3
