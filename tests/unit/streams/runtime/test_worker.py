"""What a worker does with a batch: process it, report it, and say whether it may be acknowledged."""

from pathlib import Path

import pytest

from domain.metrics import CONSUMED, LAST_PROCESSED
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


async def test_an_error_ends_the_worker(worker: StreamWorker) -> None:
    async def handle(_: RawBatch, __: Revoked) -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        await worker._process(BATCH, worker.generation, handle)
    assert isinstance(worker._app.crash_reason, KeyError)
