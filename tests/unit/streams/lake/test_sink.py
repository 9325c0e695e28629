"""The sink on a fake Kafka and a fake store: order of effects, invalid records, gaps, trouble."""

from collections.abc import Mapping, Sequence

from schemas.errors import TransientError
from schemas.events import DeadLetter
from streams.lake.names import Chain
from streams.lake.reading import holes, read_objects, read_rows
from streams.lake.spans import Bounds
from tests.fake_kafka import FakeIntake, FakeKafka, FakeLakeLog
from tests.fakes import FakeObjectStore
from tests.unit.streams.lake.world import AT, INVALID, TOPIC, Counting, payload, sink


def kafka_with(*payloads: bytes | None) -> tuple[FakeKafka, FakeLakeLog]:
    kafka = FakeKafka()
    kafka.create(TOPIC)
    kafka.append(AT, *payloads)
    log = FakeLakeLog(kafka)
    log.assign(AT)
    return kafka, log


def spans_of(store: FakeObjectStore) -> list[tuple[int, int, int, int, str]]:
    return [(o.start, o.end, o.records, o.dead_letters, o.kind) for o in read_objects(store)]


def rows_of(store: FakeObjectStore) -> list[tuple[int, int]]:
    """(offset, n) of every row in the store."""
    return [(offset, row["n"]) for o in read_objects(store) for offset, row in read_rows(o, store.get(o.key))]


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
    lake = sink(log, store, letters=kafka, now=lambda: 77)
    lake.step()
    lake.step()
    assert spans_of(store) == [(0, 4, 2, 2, "data")]
    assert rows_of(store) == [(1, 11), (3, 13)]
    letter = kafka.letters[0]
    assert (letter.topic, letter.topic_id, letter.partition, letter.offset) == (TOPIC, "id-1", 0, 0)
    assert (letter.key, letter.value, letter.step, letter.failed_at) == (b"key", INVALID, "lake", 77)
    assert (letter.error_class, letter.reason) == ("not_framed", "no header for ui")
    assert (kafka.letters[1].offset, kafka.letters[1].value) == (2, None)


def test_only_invalid_records_still_make_an_object() -> None:
    kafka, log = kafka_with(INVALID, INVALID, INVALID, INVALID)
    store = FakeObjectStore()
    lake = sink(log, store, letters=kafka)
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


def test_metadata_tell_times_and_checksum() -> None:
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


def test_letters_are_confirmed_before_the_put_and_the_put_before_the_commit() -> None:
    happened: list[str] = []

    class Store(FakeObjectStore):
        def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
            happened.append("put")
            return super().put_if_absent(key, body, metadata)

    class Letters:
        def publish(self, letters: Sequence[DeadLetter]) -> None:
            happened.append("dead letters")

    class Log(FakeLakeLog):
        def commit(self, partition: tuple[str, int], position: int, newest_object: int) -> None:
            happened.append("commit")

    kafka, _ = kafka_with(payload(0), INVALID, payload(2), payload(3))
    log = Log(kafka)
    log.assign(AT)
    lake = sink(log, Store(), letters=Letters())
    lake.step()
    lake.step()
    assert happened == ["dead letters", "put", "commit"]


def test_a_lost_race_goes_on_where_the_winner_stopped() -> None:
    kafka, log = kafka_with(*(payload(n) for n in range(6)))
    rival_log = FakeLakeLog(kafka, fetch=3)
    rival_log.assign(AT)
    store = FakeObjectStore()
    rival, lake = sink(rival_log, store, bounds=Bounds(3, 2**20, 5_000)), sink(log, store)
    lake.step()
    rival.step()
    rival.step()
    assert spans_of(store) == [(0, 3, 3, 0, "data")]
    lake.step()
    lake.step()
    lake.drain()
    assert spans_of(store) == [(0, 3, 3, 0, "data"), (3, 6, 3, 0, "data")]


def test_a_store_that_is_away_is_waited_for_without_a_second_dead_letter() -> None:
    class Away(FakeObjectStore):
        away = True

        def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
            if self.away:
                raise TransientError("no answer")
            return super().put_if_absent(key, body, metadata)

    kafka, log = kafka_with(INVALID, payload(1), payload(2), payload(3), payload(4))
    log.fetch = 4
    store, time, metrics = Away(), [0], Counting()
    lake = sink(log, store, letters=kafka, metrics=metrics, now=lambda: time[0])
    for _ in range(10):
        lake.step()
        time[0] += 20_000
    assert metrics["retried"] == 9
    store.away = False
    lake.step()
    lake.step()
    lake.drain()
    assert rows_of(store) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert len(kafka.letters) == 1


def test_a_partition_that_waits_stops_its_intake_when_its_buffer_is_full() -> None:
    class Away(FakeObjectStore):
        def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
            raise TransientError("no answer")

    _, log = kafka_with(*(payload(n) for n in range(100)))
    log.fetch = 4
    lake = sink(log, Away(), bounds=Bounds(4, 2**20, 5_000))
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
    store, metrics = FakeObjectStore(), Counting()
    lake = sink(log, store, metrics=metrics)
    lake.step()
    lake.step()
    lake.drain()
    assert spans_of(store) == [(0, 6, 0, 0, "gap"), (6, 10, 4, 0, "data")]
    assert holes(read_objects(store)) == []
    assert metrics["gap"] == 1


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
    metrics = Counting()
    lake = sink(log, store, metrics=metrics)
    for _ in range(5):
        lake.step()
    assert lake.halted == [AT]
    assert metrics["halted"] == 1
    assert len(store.objects) == 1


def test_a_burst_of_invalid_records_halts_the_partition_before_any_dead_letter() -> None:
    kafka, log = kafka_with(*[INVALID] * 4)
    store = FakeObjectStore()
    lake = sink(log, store, letters=kafka, limit=3)
    for _ in range(5):
        lake.step()
    assert lake.halted == [AT]
    assert kafka.letters == []
    assert store.objects == {}


def test_a_recreated_topic_begins_a_chain_of_its_own() -> None:
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


def test_offsets_that_never_were_records_are_passed_over() -> None:
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


def test_a_consumer_that_jumps_ahead_loses_nothing() -> None:
    class Jumping(FakeLakeLog):
        jumps = 1

        def poll(self) -> FakeIntake:
            intake = super().poll()
            if self.jumps and AT in intake.records:
                self.jumps -= 1
                del intake.records[AT][1:3]
            return intake

    kafka, _ = kafka_with(*(payload(n) for n in range(6)))
    log, store = Jumping(kafka), FakeObjectStore()
    log.assign(AT)
    lake = sink(log, store)
    for _ in range(4):
        lake.step()
    lake.drain()
    assert rows_of(store) == [(n, n) for n in range(6)]


def test_a_consumer_that_falls_silent_is_sought_anew() -> None:
    class Silent(FakeLakeLog):
        seeks = 0

        def poll(self) -> FakeIntake:
            intake = super().poll()
            return FakeIntake(assigned=intake.assigned) if self.seeks == 1 else intake

        def seek(self, partition: tuple[str, int], offset: int) -> None:
            self.seeks += 1
            super().seek(partition, offset)

    kafka, _ = kafka_with(*(payload(n) for n in range(6)))
    log, store, time = Silent(kafka), FakeObjectStore(), [0]
    log.assign(AT)
    lake = sink(log, store, now=lambda: time[0])
    for _ in range(12):
        lake.step()
        time[0] += 5_000
    assert log.seeks == 2
    assert rows_of(store) == [(n, n) for n in range(6)]
