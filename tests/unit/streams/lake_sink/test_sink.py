"""The sink on a fake Kafka and a fake store: when it writes what, invalid records, the order of effects."""

from collections.abc import Mapping, Sequence

from domain.lake.keys import Chain
from domain.lake.reading import read_objects, read_rows
from schemas.events import DeadLetter
from tests.support.fake_kafka import FakeLakeLog
from tests.support.fakes import FakeObjectStore
from tests.unit.streams.lake_sink.fixtures import AT, INVALID, TOPIC, kafka_with, payload, rows_of, sink, spans_of


def test_records_wait_until_the_buffer_is_full_or_old() -> None:
    _, log = kafka_with(payload(10), payload(11))
    store, time = FakeObjectStore(), [0]
    lake = sink(log, store, now=lambda: time[0])
    for _ in range(3):
        lake.step()
    assert store.objects == {}
    time[0] = 5_000
    lake.step()
    assert spans_of(store) == [(0, 2, 2, 0, "data")]
    assert rows_of(store) == [(0, 10), (1, 11)]


def test_a_full_buffer_is_written_at_once_and_committed() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(4)))
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    assert spans_of(store) == [(0, 4, 4, 0, "data")]
    assert kafka.commits == {AT: (4, 0)}


def test_a_commit_that_a_kill_prevented_is_made_when_the_partition_is_opened_again() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(4)))
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    kafka.commits.clear()
    successor = FakeLakeLog(kafka)
    successor.assign(AT)
    sink(successor, store).step()
    assert kafka.commits == {AT: (4, 0)}


def test_draining_writes_what_is_buffered() -> None:
    kafka, log = kafka_with(payload(10))
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    lake.drain()
    assert rows_of(store) == [(0, 10)]
    assert kafka.commits == {AT: (1, 0)}


def test_invalid_records_become_dead_letters_and_leave_their_offsets_empty() -> None:
    kafka, log = kafka_with(INVALID, payload(11), None, payload(13))
    store = FakeObjectStore()
    lake = sink(log, store, dead_letters=kafka, now=lambda: 77)
    lake.step()
    lake.step()
    assert spans_of(store) == [(0, 4, 2, 2, "data")]
    assert rows_of(store) == [(1, 11), (3, 13)]
    first = kafka.dead_letters[0]
    assert (first.topic, first.topic_id, first.partition, first.offset) == (TOPIC, "id-1", 0, 0)
    assert (first.key, first.value, first.step, first.failed_at) == (
        b"key",
        INVALID,
        "lake",
        77,
    )
    assert (first.error_class, first.reason) == ("not_framed", "no header for ui")
    assert (kafka.dead_letters[1].offset, kafka.dead_letters[1].value) == (2, None)


def test_only_invalid_records_still_make_an_object() -> None:
    kafka, log = kafka_with(INVALID, INVALID, INVALID, INVALID)
    store = FakeObjectStore()
    lake = sink(log, store, dead_letters=kafka)
    lake.step()
    lake.step()
    assert spans_of(store) == [(0, 4, 0, 4, "data")]
    assert rows_of(store) == []


def test_mixed_schemas_are_stored_under_the_newest() -> None:
    _, log = kafka_with(payload(10), payload(11, schema_id=2), payload(12), payload(13, schema_id=2))
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    (stored,) = read_objects(store)
    assert stored.schema_id == 2
    rows = [row for _, row in read_rows(stored, store.get(stored.key))]
    assert rows == [
        {"n": 10, "note": "none"},
        {"n": 11, "note": "some"},
        {"n": 12, "note": "none"},
        {"n": 13, "note": "some"},
    ]


def test_metadata_hold_times_and_checksum() -> None:
    kafka, log = kafka_with()
    kafka.append(AT, payload(1), now=100)
    kafka.append(AT, payload(2), payload(3), payload(4), now=200)
    store = FakeObjectStore()
    lake = sink(log, store)
    lake.step()
    lake.step()
    metadata = store.head(Chain(TOPIC, "id-1", 0).key(0))
    assert (metadata["first-timestamp"], metadata["last-timestamp"]) == ("100", "200")
    assert len(metadata["sha256"]) == 64


def test_dead_letters_are_confirmed_before_the_put_and_the_put_before_the_commit() -> None:
    happened: list[str] = []

    class Store(FakeObjectStore):
        def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
            happened.append("put")
            return super().put_if_absent(key, body, metadata)

    class DeadLetterTopic:
        def publish(self, dead_letters: Sequence[DeadLetter]) -> None:
            happened.append("dead letters")

    class Log(FakeLakeLog):
        def commit(self, partition: tuple[str, int], position: int, newest_object: int) -> None:
            happened.append("commit")

    kafka, _ = kafka_with(payload(0), INVALID, payload(2), payload(3))
    log = Log(kafka)
    log.assign(AT)
    lake = sink(log, Store(), dead_letters=DeadLetterTopic())
    lake.step()
    lake.step()
    assert happened == ["dead letters", "put", "commit"]
