"""What a worker does with a batch: process it, report it, and say whether it may be acknowledged."""

from pathlib import Path
from typing import Any, cast

import pytest
from faust.types import TP

from domain.metrics import CONSUMED, LAG, LAST_PROCESSED
from schemas.errors import TransientError
from streams.runtime.batches import RawBatch, Revoked
from streams.runtime.worker import Broker, StreamWorker
from tests.support.fake_metrics import FakeMetrics

BATCH = RawBatch("playhead.playback", 3, [b"a", b"b"], [7, 8], {1_700_000_000_000: 2}, 2)


@pytest.fixture
def metrics() -> FakeMetrics:
    return FakeMetrics()


@pytest.fixture
def worker(tmp_path: Path, metrics: FakeMetrics) -> StreamWorker:
    return StreamWorker("group", Broker("127.0.0.1:9"), tmp_path / "faust", metrics, fetch_wait_ms=100)


async def test_a_processed_batch_is_reported_and_may_be_acknowledged(
    worker: StreamWorker, metrics: FakeMetrics
) -> None:
    seen: list[tuple[RawBatch, bool]] = []

    async def handle(batch: RawBatch, revoked: Revoked) -> None:
        seen.append((batch, revoked()))

    assert await worker._process(BATCH, worker.generation, handle)
    assert seen == [(BATCH, False)]
    assert metrics.total(CONSUMED) == 2
    assert metrics.gauges[LAST_PROCESSED] == {("playhead.playback", 3): 1_700_000_000}


async def test_a_batch_of_an_earlier_generation_is_revoked(worker: StreamWorker) -> None:
    seen: list[bool] = []

    async def handle(_: RawBatch, revoked: Revoked) -> None:
        seen.append(revoked())

    await worker._process(BATCH, worker.generation - 1, handle)
    assert seen == [True]


async def test_an_abandoned_batch_is_neither_reported_as_processed_nor_acknowledged(
    worker: StreamWorker, metrics: FakeMetrics
) -> None:
    async def handle(_: RawBatch, __: Revoked) -> None:
        raise TransientError("another worker has it")

    assert not await worker._process(BATCH, worker.generation, handle)
    assert metrics.gauges[LAST_PROCESSED] == {}


class Consumer:
    """Of a worker: its partitions, each ten records behind."""

    def __init__(self) -> None:
        self.flow_active = True
        self.partitions: set[TP] = set()
        self.asked = 0

    def assignment(self) -> set[TP]:
        return self.partitions

    async def lag(self) -> dict[TP, int]:
        self.asked += 1
        return dict.fromkeys(self.partitions, 10)


def consumed_by(worker: StreamWorker) -> Consumer:
    consumer: Any = Consumer()
    worker._app.consumer = consumer
    return cast(Consumer, consumer)


async def test_a_rebalance_is_seen_in_the_lag_as_soon_as_it_is_over(worker: StreamWorker, metrics: FakeMetrics) -> None:
    consumer = consumed_by(worker)
    await worker._report_lag()
    consumer.partitions, consumer.flow_active = {TP("playhead.playback", 3)}, False
    await worker._report_lag()
    assert metrics.gauges[LAG] == {}
    consumer.flow_active = True
    await worker._report_lag()
    assert metrics.gauges[LAG] == {("playhead.playback", 3): 10}
    consumer.partitions = {TP("playhead.playback", 1)}
    await worker._report_lag()
    assert metrics.gauges[LAG] == {("playhead.playback", 1): 10}


async def test_otherwise_kafka_is_asked_for_the_lag_now_and_then(
    worker: StreamWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("streams.runtime.worker.perf_counter", lambda: now)
    consumer = consumed_by(worker)
    consumer.partitions = {TP("playhead.playback", 3)}
    for now in (100.0, 100.5, 104.5, 105.0, 105.5):  # noqa: B007
        await worker._report_lag()
    assert consumer.asked == 2


async def test_an_error_ends_the_worker(worker: StreamWorker) -> None:
    async def handle(_: RawBatch, __: Revoked) -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        await worker._process(BATCH, worker.generation, handle)
    assert isinstance(worker._app.crash_reason, KeyError)
