import asyncio

import pytest

from tests.unit.producers.collector.conftest import Collector, event, until


@pytest.fixture
def wait_seconds() -> float:
    return 0.05


async def test_without_room_a_request_waits_and_then_is_asked_for_again(collector: Collector) -> None:
    collector.log.gate.clear()
    waiting = [asyncio.create_task(collector.post(content=b" " * 2**20)) for _ in range(2)]
    await until(lambda: collector.in_flight == 2**21)

    answer = await collector.post(event())

    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "5")
    collector.log.gate.set()
    assert [(await each).status_code for each in waiting] == [400, 400]
    assert (await collector.post(event())).status_code == 202


async def test_a_request_with_one_event_does_not_wait_for_one_with_500(collector: Collector) -> None:
    answered: list[str] = []

    async def post(name: str, *events: dict[str, object]) -> None:
        assert (await collector.post(*events)).status_code == 202
        answered.append(name)

    await asyncio.gather(post("large", *(event() for _ in range(500))), post("small", event()))
    assert answered == ["small", "large"]
