"""What the lake sink may expect of its log: the fake and Kafka alike."""

from collections.abc import Callable, Iterator
from typing import Protocol
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from domain.lake.ports import Log, PollResult, Record
from infra.engines.kafka.config import client_config
from infra.engines.kafka.consumer import KafkaConsumer
from infra.runtime.settings import Settings
from schemas.topics import Partition
from tests.support.fake_kafka import FakeKafka, FakeLakeLog
from tests.support.pipeline import answered, eventually


class Broker(Protocol):
    """What the tests do to a topic of one partition, from outside."""

    topic: str

    def append(self, *payloads: bytes) -> None: ...

    def expire(self, begin: int) -> None: ...

    def join(self) -> Log: ...


class InMemory:
    def __init__(self) -> None:
        self.topic = "events"
        self._kafka = FakeKafka()
        self._kafka.create(self.topic)

    def append(self, *payloads: bytes) -> None:
        self._kafka.append((self.topic, 0), *payloads)

    def expire(self, begin: int) -> None:
        self._kafka.expire((self.topic, 0), begin)

    def join(self) -> Log:
        log = FakeLakeLog(self._kafka)
        log.assign((self.topic, 0))
        return log


class Real:
    def __init__(self, settings: Settings) -> None:
        self.topic = f"contract.{uuid4()}"
        self._settings = settings
        self._admin = AdminClient({**client_config(settings)})
        self._admin.create_topics([NewTopic(self.topic, 1, 1)])[self.topic].result()
        self._joined: list[KafkaConsumer] = []

    def append(self, *payloads: bytes) -> None:
        producer = Producer({**client_config(self._settings)})
        for payload in payloads:
            producer.produce(self.topic, payload)
        producer.flush()

    def expire(self, begin: int) -> None:
        place = TopicPartition(self.topic, 0, begin)
        self._admin.delete_records([place])[place].result()

    def join(self) -> Log:
        log = KafkaConsumer(self._settings, self.topic, "member-0", [self.topic])
        self._joined.append(log)
        return log

    def leave(self) -> None:
        for log in self._joined:
            log.close()


@pytest.fixture(params=["fake", pytest.param("kafka", marks=pytest.mark.engines)])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    if request.param == "fake":
        yield InMemory()
        return
    real = Real(request.getfixturevalue("stack"))
    yield real
    real.leave()


def poll_until(log: Log, wanted: Callable[[PollResult], bool]) -> None:
    eventually(lambda: wanted(log.poll()))


def read(log: Log, at: Partition, count: int) -> list[Record]:
    records: list[Record] = []

    def enough(polled: PollResult) -> bool:
        records.extend(polled.records.get(at, ()))
        return len(records) >= count

    poll_until(log, enough)
    return records


def opened(broker: Broker, offset: int) -> tuple[Log, Partition]:
    log, at = broker.join(), (broker.topic, 0)
    poll_until(log, lambda polled: at in polled.assigned)
    answered(lambda: log.seek(at, offset))  # the assignment may not be in force yet
    return log, at


def test_an_assigned_partition_delivers_from_where_it_seek_put_it(broker: Broker) -> None:
    broker.append(b"a", b"b", b"c")
    log, at = opened(broker, 1)
    records = read(log, at, 2)
    assert [(r.offset(), r.value(), len(r)) for r in records] == [(1, b"b", 1), (2, b"c", 1)]


def test_a_seek_back_delivers_again(broker: Broker) -> None:
    broker.append(b"a", b"b")
    log, at = opened(broker, 0)
    read(log, at, 2)
    log.seek(at, 1)
    assert [r.value() for r in read(log, at, 1)] == [b"b"]


def test_a_paused_partition_delivers_nothing_until_resumed_and_misses_nothing(broker: Broker) -> None:
    log, at = opened(broker, 0)
    log.pause(at)
    broker.append(b"a", b"b")
    assert not any(log.poll().records for _ in range(5))
    log.resume(at)
    assert [r.value() for r in read(log, at, 2)] == [b"a", b"b"]


def test_bounds_and_ends_are_what_the_log_holds(broker: Broker) -> None:
    broker.append(b"a", b"b", b"c")
    log, at = opened(broker, 0)
    broker.expire(2)
    assert log.bounds(at) == (2, 3)
    assert log.ends()[at] == 3


def test_where_the_next_record_left_the_log_it_continues_with_the_first_it_has(broker: Broker) -> None:
    broker.append(b"a", b"b", b"c")
    broker.expire(2)
    log, at = opened(broker, 0)
    assert [r.offset() for r in read(log, at, 1)] == [2]
    log.seek(at, 2)
    assert [r.offset() for r in read(log, at, 1)] == [2]


def test_a_position_beyond_the_logs_end_goes_back_to_the_first_record(broker: Broker) -> None:
    broker.append(b"a", b"b")
    log, at = opened(broker, 9)
    assert read(log, at, 1)[0].offset() == 0


def test_a_commit_names_the_newest_object(broker: Broker) -> None:
    broker.append(b"a")
    log, at = opened(broker, 0)
    assert log.newest_object(at) is None
    log.commit(at, 1, 0)
    poll_until(log, lambda _: log.newest_object(at) == 0)


def test_a_topics_id_names_it_and_a_missing_topic_has_none(broker: Broker) -> None:
    log, _ = opened(broker, 0)
    ids = log.topic_ids()
    assert list(ids) == [broker.topic]
    assert "/" not in ids[broker.topic]
