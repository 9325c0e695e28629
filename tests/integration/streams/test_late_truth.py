"""What comes after its session was rolled up gives the history that it would have given on time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from confluent_kafka import Consumer, TopicPartition

from domain.history.compaction import Compactor
from domain.history.reading import FullHistory, HistoryReader
from domain.history.rollup import RollUpRules
from domain.processes import BY_NAME
from infra.engines.cassandra import close, connect
from infra.engines.kafka.config import client_config
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from tests.integration.streams.traffic import TOPIC, traffic
from tests.integration.streams.workers import Worker, stop
from tests.support.builders import T0
from tests.support.fake_metrics import FakeMetrics
from tests.support.oracle import by_profile, expected_history
from tests.support.pipeline import eventually

HISTORY = BY_NAME["history"]
GROUP = HISTORY.group or ""
LATE = 300
"""Records of the day that come only when all the others have been rolled up."""
T = TypeVar("T")


@pytest.fixture
def start(stack: Settings, tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    workers: list[Worker] = []

    def start_one() -> Worker:
        """It has its partitions, so that Kafka knows its committed offsets."""
        worker = Worker(stack, HISTORY.name, 0, tmp_path / "history.log")
        workers.append(worker)
        eventually(lambda: worker.partitions() == stack.topic_partitions)
        return worker

    yield start_one
    stop([worker for worker in workers if worker.process.poll() is None])


async def with_stores(settings: Settings, work: Callable[[LiveVH, CompressedVH], Awaitable[T]]) -> T:
    session = connect(settings)
    try:
        return await work(LiveVH(session), CompressedVH(session))
    finally:
        await asyncio.to_thread(close, session)


def roll_up(settings: Settings, profiles: list[str]) -> None:
    """Every session; each is a day old at least."""

    async def work(live: LiveVH, compressed: CompressedVH) -> None:
        rules = RollUpRules(keep_live=0, chunk_bytes=1024)
        compactor = Compactor(live, compressed, FakeMetrics(), rules, lambda: T0 + 2 * 86_400_000)
        await asyncio.gather(*map(compactor.compact, profiles))

    asyncio.run(with_stores(settings, work))


def read(settings: Settings, profiles: list[str]) -> list[FullHistory]:
    async def work(live: LiveVH, compressed: CompressedVH) -> list[FullHistory]:
        reader = HistoryReader(live, compressed, FakeMetrics())
        return await asyncio.gather(*map(reader.read_all, profiles))

    return asyncio.run(with_stores(settings, work))


def rewind(settings: Settings, places: list[tuple[int, int]]) -> None:
    """The group, which has no member now, goes on from these offsets by partition."""
    consumer = Consumer({**client_config(settings), "group.id": GROUP, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(TOPIC, *place) for place in places], asynchronous=False)
    consumer.close()


def test_a_late_part_of_a_day_and_then_the_whole_day_again_from_kafka(
    stack: Settings, start: Callable[[], Worker]
) -> None:
    kafka = TopicReader(stack)

    def drain() -> None:
        eventually(lambda: kafka.lag(GROUP, [TOPIC]) == 0)

    worker = start()
    drain()  # of what other tests may have left
    began = [(partition, end) for _, _, partition, _, end in kafka.spans([TOPIC])]
    day = traffic(Registry(stack), seed=8, sessions=250)
    expected = expected_history(day.events)
    profiles = list(expected)

    BulkProducer(stack).write(day.messages[:-LATE])
    drain()
    roll_up(stack, profiles)
    BulkProducer(stack).write(day.messages[-LATE:])
    drain()
    histories = read(stack, profiles)
    assert by_profile(record for whole in histories for record in whole.records) == expected
    assert sum(whole.live for whole in histories) > 0  # of the late ones

    roll_up(stack, profiles)
    stop([worker])
    rewind(stack, began)
    worker = start()
    drain()
    assert worker.metric("playhead_consumed_records_total") == len(day.messages)
    histories = read(stack, profiles)
    assert by_profile(record for whole in histories for record in whole.records) == expected
    assert [whole.live for whole in histories] == [0] * len(profiles)
