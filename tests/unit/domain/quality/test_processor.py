"""One worker's partitions: going on from checkpoints, and showing nothing that is not in one."""

from dataclasses import dataclass

import pytest

from domain.quality.processor import FUTURE_MS, Counting
from schemas import avro
from schemas.codec import BatchDecoder, encode
from schemas.errors import TransientError
from schemas.events import Playback
from schemas.framing import frame
from tests.support.builders import T0, playback
from tests.support.fake_quality import FakeQuality, FakeQualityMetrics

HOUR_MS = 3_600_000
TV = ("device", "tv", "1.0.0")


@dataclass(frozen=True)
class Batch:
    payloads: list[bytes | None]
    offsets: list[int]
    topic: str = "playhead.playback"
    partition: int = 0


def view(number: int, **changes: int) -> Playback:
    return playback(playback_session_id=f"018bcfe5-6800-7000-8000-{number:012d}", **changes)


def batch(first_offset: int, *events: Playback) -> Batch:
    payloads: list[bytes | None] = [frame(1, encode(event)) for event in events]
    return Batch(payloads, list(range(first_offset, first_offset + len(payloads))))


@dataclass
class Worker:
    counting: Counting
    metrics: FakeQualityMetrics

    async def count(self, records: Batch) -> None:
        self.counting.fold(records, await self.counting.decode(records))

    @property
    def views(self) -> int:
        return self.metrics.shown[0].totals[TV].views


def worker(store: FakeQuality) -> Worker:
    metrics = FakeQualityMetrics()
    decoder = BatchDecoder(lambda _: avro.schema("playback"))
    return Worker(Counting(decoder, store, metrics, HOUR_MS, lambda: T0), metrics)


async def started(store: FakeQuality, generation: int = 1) -> Worker:
    made = worker(store)
    await made.counting.hold(generation, {0})
    return made


async def test_nothing_is_shown_or_durable_before_it_is_in_a_checkpoint() -> None:
    made = await started(FakeQuality())
    await made.count(batch(0, view(1), view(2)))
    assert (made.metrics.shown[0].totals, made.counting.durable(0)) == ({}, None)
    await made.counting.checkpoint()
    assert (made.views, made.counting.durable(0)) == (2, 2)


async def test_a_successor_goes_on_and_skips_what_is_counted() -> None:
    store = FakeQuality()
    first = await started(store)
    await first.count(batch(0, view(1), view(2)))
    await first.counting.checkpoint()
    await first.count(batch(2, view(3)))  # in no checkpoint: it dies now

    second = await started(store)
    assert (second.views, second.counting.durable(0)) == (2, 2)
    await second.count(batch(1, view(2), view(3), view(4)))
    await second.counting.checkpoint()
    assert (second.views, second.metrics.shown[0].missed) == (4, 0)


async def test_of_an_earlier_generation_nothing_is_kept() -> None:
    store = FakeQuality()
    here, there = await started(store), await started(store)
    await here.count(batch(0, view(1)))
    await there.count(batch(0, view(1), view(2), view(3)))
    await there.counting.checkpoint()
    await here.counting.hold(2, {0})
    await here.count(batch(3, view(4)))
    await here.counting.checkpoint()
    assert (here.views, here.metrics.shown[0].missed) == (4, 0)


async def test_a_partition_that_went_elsewhere_is_shown_no_more() -> None:
    made = await started(FakeQuality())
    await made.counting.hold(2, {1})
    assert set(made.metrics.shown) == {1}
    with pytest.raises(TransientError):
        await made.count(batch(0, view(1)))


async def test_a_store_that_is_away_costs_no_change() -> None:
    store = FakeQuality(failures=1)
    made = await started(store)
    await made.count(batch(0, view(1)))
    with pytest.raises(TransientError):
        await made.counting.checkpoint()
    assert made.counting.durable(0) is None
    store.rows.clear()
    await made.counting.checkpoint()
    assert (made.views, made.counting.durable(0)) == (1, 1)
    assert {label for _, _, label in store.rows} == {TV, ("country", "NL"), ("title_class", "film")}


async def test_a_former_owner_cannot_set_the_checkpoint_back() -> None:
    store = FakeQuality()
    old, new = await started(store), await started(store)
    await old.count(batch(0, view(1)))
    await new.count(batch(0, view(1), view(2)))
    await new.counting.checkpoint()
    await old.counting.checkpoint()
    assert (await started(store)).views == 2


async def test_what_is_invalid_or_of_the_future_is_skipped_and_counted() -> None:
    made = await started(FakeQuality())
    future = view(2, received_at=T0 + FUTURE_MS + 1)
    events = batch(0, view(1), future)
    await made.count(Batch([*events.payloads, b"junk", None], [0, 1, 2, 3]))
    await made.counting.checkpoint()
    assert (made.views, made.counting.durable(0)) == (1, 4)
    assert made.metrics.invalid == {"received_in_future": 1, "not_framed": 1, "null_payload": 1}


async def test_records_that_kafka_no_longer_had_are_told() -> None:
    made = await started(FakeQuality())
    await made.count(batch(0, view(1)))
    await made.count(batch(5, view(2)))
    await made.counting.checkpoint()
    assert made.metrics.shown[0].missed == 4
