"""The quality worker resumes from checkpoints and publishes nothing that is not in one."""

from dataclasses import dataclass
from typing import Any

import pytest

from domain.metrics import SKIPPED
from domain.quality.processor import FUTURE_MS, QualityProcessor
from domain.support.updates import MANY_REPORTS
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.errors import TransientError
from schemas.events import Playback
from schemas.framing import frame
from tests.support.builders import T0, playback
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_quality import FakeCheckpointedMetrics, FakeQualityStore

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
TV = ("device", "tv", "1.0.0")


@dataclass(frozen=True)
class Batch:
    payloads: list[bytes | None]
    offsets: list[int]
    topic: str = "playhead.playback"
    partition: int = 0


def view(number: int, **changes: Any) -> Playback:
    """Each of another member."""
    session = f"018bcfe5-6800-7000-8000-{number:012d}"
    return playback(profile_id=f"ml-{number}", playback_session_id=session, **changes)


def batch(first_offset: int, *events: Playback) -> Batch:
    payloads: list[bytes | None] = [frame(1, encode(event)) for event in events]
    return Batch(payloads, list(range(first_offset, first_offset + len(payloads))))


@dataclass
class WallClock:
    now: int = T0 + 60_200
    """The builder's time of receipt."""

    def __call__(self) -> int:
        return self.now


@dataclass
class Worker:
    processor: QualityProcessor
    metrics: FakeMetrics
    published: FakeCheckpointedMetrics
    clock: WallClock

    async def count(self, records: Batch) -> None:
        self.processor.fold(records, await self.processor.decode(records))

    @property
    def views(self) -> int:
        return self.published.snapshots[0].totals[TV].views


def worker(store: FakeQualityStore) -> Worker:
    metrics, published = FakeMetrics(), FakeCheckpointedMetrics()
    decoder = BatchDecoder(lambda _: avro.schema("playback"))
    clock = WallClock()
    return Worker(QualityProcessor(decoder, store, metrics, published, HOUR_MS, clock), metrics, published, clock)


async def started(store: FakeQualityStore, generation: int = 1) -> Worker:
    made = worker(store)
    await made.processor.assign(generation, {0})
    return made


async def test_nothing_is_published_or_committable_before_its_checkpoint() -> None:
    made = await started(FakeQualityStore())
    await made.count(batch(0, view(1), view(2)))
    assert (made.published.snapshots[0].totals, made.processor.committable_offset(0)) == ({}, None)
    await made.processor.checkpoint()
    assert (made.views, made.processor.committable_offset(0)) == (2, 2)


async def test_a_successor_resumes_and_skips_counted_records() -> None:
    store = FakeQualityStore()
    first = await started(store)
    await first.count(batch(0, view(1), view(2)))
    await first.processor.checkpoint()
    await first.count(batch(2, view(3)))  # in no checkpoint: the worker dies now

    second = await started(store)
    assert (second.views, second.processor.committable_offset(0)) == (2, 2)
    await second.count(batch(1, view(2), view(3), view(4)))
    await second.processor.checkpoint()
    assert (second.views, second.published.snapshots[0].missed) == (4, 0)


async def test_nothing_of_an_earlier_generation_is_kept() -> None:
    store = FakeQualityStore()
    here, there = await started(store), await started(store)
    await here.count(batch(0, view(1)))
    await there.count(batch(0, view(1), view(2), view(3)))
    await there.processor.checkpoint()
    await here.processor.assign(2, {0})
    await here.count(batch(3, view(4)))
    await here.processor.checkpoint()
    assert (here.views, here.published.snapshots[0].missed) == (4, 0)


async def test_a_revoked_partition_is_withdrawn() -> None:
    made = await started(FakeQualityStore())
    await made.processor.assign(2, {1})
    assert set(made.published.snapshots) == {1}
    with pytest.raises(TransientError):
        await made.count(batch(0, view(1)))


async def test_an_unavailable_store_loses_no_change() -> None:
    store = FakeQualityStore(failures=1)
    made = await started(store)
    await made.count(batch(0, view(1)))
    with pytest.raises(TransientError):
        await made.processor.checkpoint()
    assert made.processor.committable_offset(0) is None
    store.rows.clear()
    await made.processor.checkpoint()
    assert (made.views, made.processor.committable_offset(0)) == (1, 1)
    assert {label for _, _, label in store.rows} == {TV, ("country", "NL"), ("title_class", "film")}


def reported_sessions(store: FakeQualityStore) -> int:
    return sum(map(len, store.support.sessions.values()))


async def test_many_reports_do_not_wait_for_the_checkpoint_and_few_do() -> None:
    store = FakeQualityStore()
    made = await started(store)
    await made.count(batch(0, *map(view, range(MANY_REPORTS - 1))))
    await made.processor.store_many_reports(0)
    assert reported_sessions(store) == 0
    await made.count(batch(MANY_REPORTS - 1, view(MANY_REPORTS)))
    await made.processor.store_many_reports(0)
    assert (reported_sessions(store), made.processor.committable_offset(0)) == (MANY_REPORTS, None)


async def test_many_reports_that_cannot_be_stored_are_kept_for_the_next_time() -> None:
    store = FakeQualityStore(failing_reports=1)
    made = await started(store)
    await made.count(batch(0, *map(view, range(MANY_REPORTS))))
    with pytest.raises(TransientError):
        await made.processor.store_many_reports(0)
    await made.processor.store_many_reports(0)
    assert reported_sessions(store) == MANY_REPORTS


async def test_a_former_owner_cannot_overwrite_a_newer_checkpoint() -> None:
    store = FakeQualityStore()
    old, new = await started(store), await started(store)
    await old.count(batch(0, view(1)))
    await new.count(batch(0, view(1), view(2)))
    await new.processor.checkpoint()
    await old.processor.checkpoint()
    assert (await started(store)).views == 2


async def test_invalid_and_future_records_are_skipped_and_counted() -> None:
    made = await started(FakeQualityStore())
    future = view(2, received_at=WallClock.now + FUTURE_MS + 1)
    events = batch(0, view(1), future)
    await made.count(Batch([*events.payloads, b"junk", None], [0, 1, 2, 3]))
    await made.processor.checkpoint()
    assert (made.views, made.processor.committable_offset(0)) == (1, 4)
    assert made.metrics.by(SKIPPED, "code") == {"received_in_future": 1, "not_framed": 1, "null_payload": 1}


async def test_records_that_expired_in_kafka_are_reported() -> None:
    made = await started(FakeQualityStore())
    await made.count(batch(0, view(1)))
    await made.count(batch(5, view(2)))
    await made.processor.checkpoint()
    assert made.published.snapshots[0].missed == 4


async def test_without_events_the_viewers_are_gone_after_two_minutes() -> None:
    made = await started(FakeQualityStore())
    await made.count(batch(0, *(view(number) for number in range(12))))
    await made.processor.checkpoint()
    assert made.published.snapshots[0].viewers[TV] == 12
    made.clock.now += 2 * MINUTE_MS
    await made.processor.checkpoint()
    assert made.published.snapshots[0].viewers[TV] == 12
    made.clock.now += 1
    await made.processor.checkpoint()
    assert made.published.snapshots[0].viewers[TV] == 0


async def test_without_events_a_view_that_is_over_is_settled_within_minutes_and_for_good() -> None:
    store = FakeQualityStore()
    made = await started(store)
    await made.count(batch(0, view(1, seq=0), view(1, seq=3, event_type="stopped", player_state="stopped")))
    await made.processor.checkpoint()
    made.clock.now += 7 * MINUTE_MS
    await made.processor.checkpoint()
    figures = made.published.snapshots[0].totals[TV]
    assert (figures.settled_views, figures.events_lost, made.published.snapshots[0].open_sessions) == (1, 2, 0)

    again = await started(store)
    assert again.published.snapshots[0].totals[TV].settled_views == 1


async def test_a_worker_that_is_behind_keeps_to_log_time() -> None:
    made = await started(FakeQualityStore())
    made.clock.now += HOUR_MS
    for offset in range(5):
        made.clock.now += 20_000
        await made.count(batch(offset, view(offset)))
        await made.processor.checkpoint()
    assert made.published.snapshots[0].viewers[TV] == 5
    assert made.published.snapshots[0].log_time == T0 + 60_200
