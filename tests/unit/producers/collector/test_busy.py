import asyncio

import pytest

from tests.unit.producers.collector.conftest import Collector, event


@pytest.fixture
def wait_seconds() -> float:
    return 0.05


async def test_without_room_a_request_waits_and_then_is_asked_for_again(collector: Collector) -> None:
    collector.log.gate.clear()
    waiting = asyncio.create_task(collector.post(content=b" " * 2**20))
    await collector.log.asked.wait()

    answer = await collector.post(event())

    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "5")
    collector.log.gate.set()
    assert (await waiting).status_code == 400
    assert (await collector.post(event())).status_code == 202
