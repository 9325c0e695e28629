"""The contract of EventLog, for the fake and for Kafka's adapter (on librdkafka's mock cluster)."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from infra.engines.kafka.producer import KafkaEventLog
from producers.ports import EventLog, Headers, Message
from tests.support.fakes import FakeLog
from tests.support.pipeline import PATIENCE_S

MESSAGES = [Message("playhead.ui", b"key", b"%d" % number) for number in range(100)]
TOO_LARGE = Message("playhead.ui", b"key", bytes(2 * 2**20 + 1))
UNREACHABLE = {"bootstrap.servers": "127.0.0.1:1"}


class ClosableLog(EventLog, Protocol):
    def close(self) -> None: ...


def no_fatal_error(reason: str) -> None:
    raise AssertionError(reason)


@pytest.fixture(params=["fake", "kafka"])
def log(request: pytest.FixtureRequest) -> Iterator[ClosableLog]:
    mock = {"bootstrap.servers": "mock", "test.mock.num.brokers": "1"}
    made: ClosableLog = FakeLog() if request.param == "fake" else KafkaEventLog(mock, PATIENCE_S, no_fatal_error)
    yield made
    made.close()


@pytest.fixture(params=["fake", "kafka"])
def away(request: pytest.FixtureRequest) -> Iterator[EventLog]:
    """A log whose Kafka is unreachable."""
    made = FakeLog(lambda _: "unknown") if request.param == "fake" else KafkaEventLog(UNREACHABLE, 0.1, no_fatal_error)
    if isinstance(made, FakeLog):
        made.closed = True
    yield made
    made.close()


def stored(log: EventLog) -> list[Message]:
    return [message for message, _ in records(log)]


def records(log: EventLog) -> list[tuple[Message, Headers]]:
    if isinstance(log, FakeLog):
        return [*zip(log.stored, log.headers, strict=True)]
    assert isinstance(log, KafkaEventLog)
    [broker] = log._producer.list_topics(timeout=PATIENCE_S).brokers.values()
    bootstrap: dict[str, str | int | float | bool] = {"bootstrap.servers": f"{broker.host}:{broker.port}"}
    topics = AdminClient(bootstrap).list_topics(timeout=PATIENCE_S).topics
    reader = Consumer({**bootstrap, "group.id": "reader", "enable.partition.eof": True})
    partitions = [TopicPartition(name, number, 0) for name in topics for number in topics[name].partitions]
    reader.assign(partitions)
    found: list[tuple[Message, Headers]] = []
    ended = 0
    while ended < len(partitions):
        record = reader.poll(PATIENCE_S)
        assert record is not None
        if record.error():
            ended += 1
        else:
            message = Message(record.topic() or "", record.key() or b"", record.value() or b"")
            headers = [(n, value) for n, value in dict(record.headers() or ()).items() if isinstance(value, bytes)]
            found.append((message, headers))
    reader.close()
    return found


async def test_every_acknowledged_message_is_stored_in_order_of_its_key(log: ClosableLog) -> None:
    assert await log.publish(MESSAGES) == ["acknowledged"] * 100
    assert stored(log) == MESSAGES


async def test_each_message_has_the_headers_of_its_request(log: ClosableLog) -> None:
    await log.publish(MESSAGES[:2], [("request_id", b"0123")])
    await log.publish(MESSAGES[2:3])

    assert records(log) == [
        (MESSAGES[0], [("request_id", b"0123")]),
        (MESSAGES[1], [("request_id", b"0123")]),
        (MESSAGES[2], []),
    ]


async def test_publishers_do_not_wait_for_each_other(log: ClosableLog) -> None:
    answers = await asyncio.gather(*(log.publish([message]) for message in MESSAGES))

    assert answers == [["acknowledged"]] * 100
    assert sorted(stored(log)) == sorted(MESSAGES)


async def test_a_message_that_is_too_large_fails_alone(log: ClosableLog) -> None:
    assert await log.publish([MESSAGES[0], TOO_LARGE, MESSAGES[1]]) == ["acknowledged", "failed", "acknowledged"]


async def test_the_largest_message_is_accepted(log: ClosableLog) -> None:
    assert await log.publish([Message("playhead.ui", b"key", bytes(2**20 + 500))]) == ["acknowledged"]


async def test_publishing_nothing_returns_immediately(log: ClosableLog) -> None:
    assert await log.publish([]) == []


async def test_it_is_ready_until_it_is_closed(log: ClosableLog) -> None:
    before = await log.ready()
    log.close()

    assert (before, await log.ready()) == (True, False)


async def test_what_kafka_does_not_confirm_in_time_is_unknown(away: EventLog) -> None:
    assert await away.publish(MESSAGES[:2]) == ["unknown", "unknown"]


async def test_it_is_not_ready_while_kafka_is_unreachable(away: EventLog) -> None:
    assert not await away.ready()


def test_a_fatal_error_is_reported_and_ends_readiness() -> None:
    reasons: list[str] = []
    log = KafkaEventLog({"bootstrap.servers": "mock", "test.mock.num.brokers": "1"}, 10, reasons.append)
    log._on_error(_Fatal())  # type: ignore[arg-type]
    log._on_error(_Fatal())  # type: ignore[arg-type]

    assert (reasons, asyncio.run(log.ready())) == (["fenced"], False)
    log.close()


class _Fatal:
    fatal: Callable[[], bool] = staticmethod(lambda: True)
    str: Callable[[], str] = staticmethod(lambda: "fenced")
