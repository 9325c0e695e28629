"""Decode, keep the newest, write: what is stored, counted and passed on."""

from collections import Counter

import pytest

from schemas import avro
from schemas.codec import BatchDecoder, encode
from schemas.errors import InvalidEvent, TransientError
from schemas.framing import frame
from streams.workers.live_writer import LiveWriter
from tests.support.builders import playback, viewing_record
from tests.support.fake_history import FakeHistoryMetrics, FakeLiveVH

TOPIC = "playhead.playback"


def recorder(store: FakeLiveVH, metrics: FakeHistoryMetrics) -> LiveWriter:
    return LiveWriter(BatchDecoder(lambda _: avro.schema("playback")), store, metrics)


def payload(**changes: object) -> bytes:
    return frame(1, encode(playback(**changes)))


async def test_the_newest_of_each_session_is_written_and_read_back() -> None:
    store, metrics = FakeLiveVH(), FakeHistoryMetrics()
    step = recorder(store, metrics)
    await step.write(TOPIC, (await step.newest(TOPIC, [payload(seq=5), payload(seq=4)])).records)
    assert (await store.read("ml-1")).records == [viewing_record(seq=5)]
    assert metrics.written == 1
    assert metrics.event_times == [viewing_record(seq=5).event_time]


async def test_invalid_payloads_are_counted_and_the_others_go_on() -> None:
    metrics = FakeHistoryMetrics()
    payloads = [b"junk", payload(seq=5), None, payload(seq=6)[:-1]]
    assert (await recorder(FakeLiveVH(), metrics).newest(TOPIC, payloads)).records == [viewing_record(seq=5)]
    assert metrics.invalid == Counter({"not_framed": 1, "null_payload": 1, "malformed": 1})


async def test_conflicting_events_are_counted() -> None:
    metrics = FakeHistoryMetrics()
    await recorder(FakeLiveVH(), metrics).newest(TOPIC, [payload(), payload(device_id="device-2")])
    assert metrics.conflicting == 1


async def test_a_store_that_is_away_is_the_callers_to_retry_and_counts_nothing_as_written() -> None:
    store, metrics = FakeLiveVH(failures=1), FakeHistoryMetrics()
    step = recorder(store, metrics)
    with pytest.raises(TransientError):
        await step.write(TOPIC, [viewing_record()])
    assert metrics.written == 0
    await step.write(TOPIC, [viewing_record()])
    assert (await store.read("ml-1")).records == [viewing_record()]


class RefusingStore(FakeLiveVH):
    async def write(self, records: object) -> list[InvalidEvent]:
        return [InvalidEvent("refused_by_store", "too large")]


async def test_records_the_store_refuses_for_ever_are_counted() -> None:
    metrics = FakeHistoryMetrics()
    await recorder(RefusingStore(), metrics).write(TOPIC, [viewing_record()])
    assert metrics.invalid == Counter({"refused_by_store": 1})
