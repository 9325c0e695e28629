"""Playback events into LiveVH: what is stored, counted and skipped, and when a compaction is requested."""

from collections.abc import Sequence

import pytest

from domain.history.live import read_live
from domain.metrics import EVENT_VISIBLE, HISTORY_RECORDS, SESSION_CONFLICTS, SKIPPED
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.errors import InvalidEvent, TooManyDeletions, TransientError
from schemas.events import CompactionRequest
from schemas.framing import frame
from streams.runtime import retry
from streams.runtime.batches import RawBatch
from streams.workers.history import CompactionTrigger, LiveWriter
from tests.support.builders import T0, compaction_request, playback, viewing_record
from tests.support.fake_history import FakeLiveVH
from tests.support.fake_metrics import FakeMetrics

TOPIC = "playhead.playback"
SAMPLED = "018bcfe5-6800-7000-8000-000000000008"
NOT_SAMPLED = "018bcfe5-6800-7000-8000-000000000009"


class FakeRequests:
    def __init__(self) -> None:
        self.published: list[CompactionRequest] = []
        self.away = False

    def publish(self, requests: Sequence[CompactionRequest]) -> None:
        if self.away:
            raise TransientError("Kafka is unavailable")
        self.published += requests


def live_writer(store: FakeLiveVH, metrics: FakeMetrics, requests: FakeRequests | None = None) -> LiveWriter:
    trigger = CompactionTrigger(store, requests or FakeRequests(), 5, lambda: T0)
    return LiveWriter(BatchDecoder(lambda _: avro.schema("playback")), store, trigger, metrics)


def payload(**changes: object) -> bytes:
    return frame(1, encode(playback(**changes)))


def batch(*payloads: bytes) -> RawBatch:
    return RawBatch(TOPIC, 0, [*payloads], [*range(len(payloads))], {T0: len(payloads)}, sum(map(len, payloads)))


async def live_with(sessions: int) -> FakeLiveVH:
    live = FakeLiveVH()
    await live.write([viewing_record(playback_session_id=f"018bcfe5-6800-7000-8000-{n:012d}") for n in range(sessions)])
    return live


async def test_the_newest_of_each_session_is_written_and_read_back() -> None:
    store, metrics = FakeLiveVH(), FakeMetrics()
    step = live_writer(store, metrics)
    await step.write(TOPIC, (await step.newest(TOPIC, [payload(seq=5), payload(seq=4)])).records)
    assert (await read_live(store, "ml-1")).records == [viewing_record(seq=5)]
    assert metrics.total(HISTORY_RECORDS) == 1
    assert len(metrics.observations[EVENT_VISIBLE]) == 1


async def test_invalid_payloads_are_counted_and_the_others_go_on() -> None:
    metrics = FakeMetrics()
    payloads = [b"junk", payload(seq=5), None, payload(seq=6)[:-1]]
    assert (await live_writer(FakeLiveVH(), metrics).newest(TOPIC, payloads)).records == [viewing_record(seq=5)]
    assert metrics.by(SKIPPED, "code") == {"not_framed": 1, "null_payload": 1, "malformed": 1}


async def test_conflicting_events_are_counted() -> None:
    metrics = FakeMetrics()
    await live_writer(FakeLiveVH(), metrics).newest(TOPIC, [payload(), payload(device_id="device-2")])
    assert metrics.total(SESSION_CONFLICTS) == 1


async def test_a_store_that_is_away_is_the_callers_to_retry_and_counts_nothing_as_written() -> None:
    store, metrics = FakeLiveVH(failures=1), FakeMetrics()
    step = live_writer(store, metrics)
    with pytest.raises(TransientError):
        await step.write(TOPIC, [viewing_record()])
    assert metrics.total(HISTORY_RECORDS) == 0
    await step.write(TOPIC, [viewing_record()])
    assert (await read_live(store, "ml-1")).records == [viewing_record()]


class RefusingStore(FakeLiveVH):
    async def write(self, records: object) -> list[InvalidEvent]:
        return [InvalidEvent("refused_by_store", "too large")]


async def test_records_the_store_refuses_for_ever_are_counted() -> None:
    metrics = FakeMetrics()
    await live_writer(RefusingStore(), metrics).write(TOPIC, [viewing_record()])
    assert metrics.by(SKIPPED, "code") == {"refused_by_store": 1}


async def test_a_batch_is_written_although_the_store_was_unavailable_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0)
    store = FakeLiveVH(failures=2)
    await live_writer(store, FakeMetrics()).handle(batch(payload(seq=5), payload(seq=6)), lambda: False)
    assert (await read_live(store, "ml-1")).records == [viewing_record(seq=6)]


async def test_a_batch_that_was_revoked_is_given_up() -> None:
    with pytest.raises(TransientError):
        await live_writer(FakeLiveVH(failures=9), FakeMetrics()).handle(batch(payload()), lambda: True)


async def test_a_start_of_a_member_with_too_many_live_sessions_requests_a_compaction() -> None:
    store, requests = await live_with(8), FakeRequests()
    await live_writer(store, FakeMetrics(), requests).handle(
        batch(payload(playback_session_id=SAMPLED, seq=0)), lambda: False
    )
    assert requests.published == [compaction_request(profile_id="ml-1", requested_at=T0, live_records=6)]


async def starting(**changes: object) -> list[str]:
    writer = live_writer(FakeLiveVH(), FakeMetrics())
    return (await writer.newest(TOPIC, [payload(**changes)])).starting


async def test_one_start_in_eight_is_looked_at() -> None:
    assert await starting(playback_session_id=SAMPLED, seq=0) == ["ml-1"]
    assert await starting(playback_session_id=SAMPLED, seq=1) == []
    assert await starting(playback_session_id=NOT_SAMPLED, seq=0) == []


async def test_more_than_the_threshold_asks_for_a_compaction() -> None:
    requests = FakeRequests()
    await CompactionTrigger(await live_with(8), requests, 5, lambda: T0).check(["ml-1", "ml-2"])
    assert requests.published == [compaction_request(profile_id="ml-1", requested_at=T0, live_records=6)]


async def test_the_threshold_itself_does_not() -> None:
    requests = FakeRequests()
    await CompactionTrigger(await live_with(5), requests, 5, lambda: T0).check(["ml-1"])
    assert requests.published == []


async def test_a_profile_that_cannot_be_counted_keeps_no_other_from_its_compaction() -> None:
    class Uncounted(FakeLiveVH):
        async def count(self, profile_id: str, limit: int) -> int:
            if profile_id == "giant":
                raise TooManyDeletions("100,001 deleted rows")
            return await super().count(profile_id, limit)

    live, requests = Uncounted(), FakeRequests()
    await live.write([*(await live_with(8)).rows["ml-1"].values()])
    await CompactionTrigger(live, requests, 5, lambda: T0).check(["giant", "ml-1"])
    assert [request.profile_id for request in requests.published] == ["ml-1"]


async def test_a_request_that_cannot_be_made_is_given_up() -> None:
    requests = FakeRequests()
    requests.away = True
    await CompactionTrigger(await live_with(8), requests, 5, lambda: T0).check(["ml-1"])
    assert requests.published == []
