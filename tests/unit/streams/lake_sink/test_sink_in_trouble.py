"""The sink when something fails: a put conflict, a store outage, expired records, a consumer that skips."""

from collections.abc import Mapping

from domain.lake.batching import FlushLimits
from domain.lake.keys import Chain
from domain.lake.reading import read_objects, read_rows
from domain.metrics import LAKE_GAP_OFFSETS, LAKE_HALTED, RETRIES
from schemas.errors import TransientError
from schemas.topics import COMPACTION_LAG_MS
from tests.support.fake_kafka import FakeLakeLog, FakePollResult
from tests.support.fake_metrics import FakeMetrics
from tests.support.fakes import FakeObjectStore
from tests.support.lake_chains import find_holes
from tests.unit.streams.lake_sink.fixtures import (
    AT,
    INVALID,
    TOPIC,
    kafka_with,
    payload,
    rows_of,
    sink,
    spans_of,
)


def test_after_a_conflict_it_continues_where_the_other_sink_stopped() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(6)))
    other_log = FakeLakeLog(kafka, fetch=3)
    other_log.assign(AT)
    store = FakeObjectStore()
    other, lake = sink(other_log, store, limits=FlushLimits(3, 2**20, 5_000)), sink(log, store)
    lake.step()
    other.step()
    other.step()
    assert spans_of(store) == [(0, 3, 3, 0, "data")]
    lake.step()
    lake.step()
    lake.drain()
    assert spans_of(store) == [(0, 3, 3, 0, "data"), (3, 6, 3, 0, "data")]


def test_it_waits_for_an_unreachable_store_without_a_second_dead_letter() -> None:
    class Away(FakeObjectStore):
        away = True

        def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
            if self.away:
                raise TransientError("no answer")
            return super().put_if_absent(key, body, metadata)

    kafka, log = kafka_with(INVALID, payload(1), payload(2), payload(3), payload(4))
    log.fetch = 4
    store, time, metrics = Away(), [0], FakeMetrics()
    lake = sink(log, store, dead_letters=kafka, metrics=metrics, now=lambda: time[0])
    for _ in range(10):
        lake.step()
        time[0] += 20_000
    assert metrics.total(RETRIES) == 9
    store.away = False
    lake.step()
    lake.step()
    lake.drain()
    assert rows_of(store) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert len(kafka.dead_letters) == 1


def test_a_partition_that_waits_is_paused_when_its_buffer_is_full() -> None:
    class Away(FakeObjectStore):
        def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
            raise TransientError("no answer")

    _, log = kafka_with(*(payload(n) for n in range(100)))
    log.fetch = 4
    lake = sink(log, Away(), limits=FlushLimits(4, 2**20, 5_000))
    for _ in range(10):
        lake.step()
    assert log.paused == {AT}
    assert log._positions[AT] == 8, "one object waits for the store, one buffer for the object"


def test_revoked_records_are_dropped_unwritten_and_uncommitted() -> None:
    kafka, log = kafka_with(payload(10))
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    log.revoke(AT)
    lake.step()
    lake.drain()
    assert store.objects == {}
    assert kafka.commits == {}


def test_records_that_left_the_log_unread_make_a_gap_object() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(10)))
    kafka.expire(AT, 6)
    store, metrics = FakeObjectStore(), FakeMetrics()
    lake = sink(log, store, metrics=metrics)
    lake.step()
    lake.step()
    lake.drain()
    assert spans_of(store) == [(0, 6, 0, 0, "gap"), (6, 10, 4, 0, "data")]
    assert find_holes(read_objects(store)) == []
    assert metrics.total(LAKE_GAP_OFFSETS) == 6


def test_records_that_expire_behind_a_running_sink_make_a_gap_object_too() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(4)))
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    kafka.append(AT, *(payload(n) for n in range(4, 10)))
    kafka.expire(AT, 8)
    for _ in range(3):
        lake.step()
    lake.drain()
    assert spans_of(store) == [(0, 4, 4, 0, "data"), (4, 8, 0, 0, "gap"), (8, 10, 2, 0, "data")]


def test_a_lake_beyond_the_logs_end_halts_the_partition() -> None:
    _, log = kafka_with(payload(0))
    store = FakeObjectStore()
    store.put_if_absent(Chain(TOPIC, "id-1", 0).key(0), b"", {"end": "5"})
    metrics = FakeMetrics()
    lake = sink(log, store, metrics=metrics)
    for _ in range(5):
        lake.step()
    assert lake.halted == [AT]
    assert list(metrics.gauges[LAKE_HALTED].values()) == [1]
    assert len(store.objects) == 1


def test_a_burst_of_invalid_records_halts_the_partition_before_any_dead_letter() -> None:
    kafka, log = kafka_with(*[INVALID] * 4)
    store = FakeObjectStore()
    lake = sink(log, store, dead_letters=kafka, limit=3)
    for _ in range(5):
        lake.step()
    assert lake.halted == [AT]
    assert kafka.dead_letters == []
    assert store.objects == {}


def test_a_recreated_topic_starts_a_new_chain() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(4)))
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    kafka.create(TOPIC)
    kafka.append(AT, *(payload(100 + n) for n in range(9)))
    for _ in range(4):
        lake.step()
    lake.drain()
    old, new = Chain(TOPIC, "id-1", 0), Chain(TOPIC, "id-2", 0)
    assert [(o.start, o.end) for o in read_objects(store, old)] == [(0, 4)]
    rows = [(offset, row["n"]) for o in read_objects(store, new) for offset, row in read_rows(o, store.get(o.key))]
    assert rows == [(n, 100 + n) for n in range(9)]


def test_a_newest_object_that_was_deleted_is_written_again() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(8)))
    log.fetch = 4
    store = FakeObjectStore()
    lake = sink(log, store)
    for _ in range(3):
        lake.step()
    assert kafka.commits == {AT: (8, 4)}
    store.delete(Chain(TOPIC, "id-1", 0).key(4))
    again = FakeLakeLog(kafka)
    again.assign(AT)
    restarted = sink(again, store)
    restarted.step()
    restarted.step()
    assert rows_of(store) == [(n, n) for n in range(8)]


def test_offsets_that_never_were_records_are_skipped() -> None:
    kafka, log = kafka_with(payload(0), payload(1))
    kafka.end_transaction(AT)
    kafka.append(AT, payload(3), payload(4))
    store = FakeObjectStore()
    lake = sink(log, store)
    for _ in range(4):
        lake.step()
    lake.drain()
    assert rows_of(store) == [(0, 0), (1, 1), (3, 3), (4, 4)]
    assert [(start, end) for start, end, *_ in spans_of(store)] == [(0, 2), (2, 5)]


class CountsSeeks(FakeLakeLog):
    seeks = 0

    def seek(self, partition: tuple[str, int], offset: int) -> None:
        self.seeks += 1
        super().seek(partition, offset)


def test_what_compaction_removed_is_passed_over_at_once() -> None:
    kafka, _ = kafka_with(*(payload(n) for n in range(7)))
    kafka.compact(AT, 0, 2, 3, 5)
    log, store = CountsSeeks(kafka), FakeObjectStore()
    log.assign(AT)
    lake = sink(log, store, now=lambda: COMPACTION_LAG_MS + 1, compacted=True)
    for _ in range(2):
        lake.step()
    lake.drain()
    assert log.seeks == 1
    assert rows_of(store) == [(1, 1), (4, 4), (6, 6)]
    assert spans_of(store) == [(0, 7, 3, 0, "data")]
    assert [each.absent for each in read_objects(store)] == [4]


def test_a_hole_in_what_compaction_may_not_touch_is_asked_for_again() -> None:
    kafka, _ = kafka_with(payload(0), payload(1))
    kafka.append(AT, payload(2), payload(3), now=1)
    kafka.compact(AT, 0, 2)
    log, store = CountsSeeks(kafka), FakeObjectStore()
    log.assign(AT)
    lake = sink(log, store, now=lambda: COMPACTION_LAG_MS + 1, compacted=True)
    for _ in range(4):
        lake.step()
    lake.drain()
    assert log.seeks == 2
    assert [(start, end) for start, end, *_ in spans_of(store)] == [(0, 2), (2, 4)]
    assert rows_of(store) == [(1, 1), (3, 3)]


def test_a_consumer_that_skips_records_loses_nothing() -> None:
    class Skipping(FakeLakeLog):
        skips = 1

        def poll(self) -> FakePollResult:
            polled = super().poll()
            if self.skips and AT in polled.records:
                self.skips -= 1
                del polled.records[AT][1:3]
            return polled

    kafka, _ = kafka_with(*(payload(n) for n in range(6)))
    log, store = Skipping(kafka), FakeObjectStore()
    log.assign(AT)
    lake = sink(log, store)
    for _ in range(4):
        lake.step()
    lake.drain()
    assert rows_of(store) == [(n, n) for n in range(6)]


def test_a_consumer_that_delivers_nothing_is_reopened() -> None:
    class Stalled(CountsSeeks):
        def poll(self) -> FakePollResult:
            polled = super().poll()
            return FakePollResult(assigned=polled.assigned) if self.seeks == 1 else polled

    kafka, _ = kafka_with(*(payload(n) for n in range(6)))
    log, store, time = Stalled(kafka), FakeObjectStore(), [0]
    log.assign(AT)
    lake = sink(log, store, now=lambda: time[0])
    for _ in range(12):
        lake.step()
        time[0] += 5_000
    assert log.seeks == 2
    assert rows_of(store) == [(n, n) for n in range(6)]
