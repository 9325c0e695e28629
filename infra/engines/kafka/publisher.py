"""Writes records to Kafka and waits for every acknowledgement."""

import threading
from collections.abc import Sequence
from functools import partial
from operator import attrgetter

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from domain.outbox.rows import Row
from infra.engines.kafka.config import QUIET, client_config
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.codec import encode
from schemas.errors import TransientError
from schemas.events import Record
from schemas.framing import frame
from schemas.topics import TOPICS, Topic

DELIVERY_SECONDS = 60


class BulkProducer:
    """Writes many at once, as fast as one thread can. Calls from several threads wait for each other."""

    def __init__(self, settings: Settings, delivery_seconds: float = DELIVERY_SECONDS) -> None:
        """``delivery_seconds``: after which a message that Kafka has not acknowledged is given up."""
        self._delivery_seconds = delivery_seconds
        self._lock = threading.Lock()
        self._error: KafkaError | None = None
        self._producer = Producer(
            {
                **client_config(settings),
                **QUIET,  # the delivery reports show an unavailable broker
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 20,
                "batch.size": 2**20,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 1_000_000,
                "message.max.bytes": 2 * 2**20,  # a dead letter is larger than the record it contains
                "delivery.timeout.ms": int(delivery_seconds * 1000),
                "delivery.report.only.error": True,
                "on_delivery": self._delivered,
            }
        )

    def write(self, messages: Sequence[tuple[str, bytes, bytes]]) -> None:
        """Write (topic, key, value) messages. TransientError unless all are acknowledged in time."""
        with self._lock:
            self._write(messages)

    def _write(self, messages: Sequence[tuple[str, bytes, bytes]]) -> None:
        self._error = None
        for topic, key, value in messages:
            try:
                self._producer.produce(topic, value, key)
            except BufferError as error:
                raise TransientError("producer queue full: Kafka is not accepting records") from error
            except KafkaException as error:
                raise TransientError(f"Kafka rejects records: {error}") from error
        left = self._flushed()
        if self._error is not None and self._error.fatal():
            raise KafkaException(self._error)  # this producer cannot recover: only a restart helps
        if self._error is not None or left:
            reason = self._error.str() if self._error is not None else f"{left} records not acknowledged in time"
            raise TransientError(f"Kafka did not acknowledge all records: {reason}")

    def attempt(self, messages: Sequence[tuple[str, bytes, bytes]]) -> set[int]:
        """Write (topic, key, value) messages. Returns the places of those that are not acknowledged in time, which may
        be in Kafka or not."""
        with self._lock:
            self._error, failed = None, set[int]()
            for place, (topic, key, value) in enumerate(messages):
                try:
                    self._producer.produce(topic, value, key, on_delivery=partial(self._failed, failed, place))
                except (BufferError, KafkaException):
                    failed.update(range(place, len(messages)))
                    break
            if self._flushed():
                return set(range(len(messages)))
            if self._error is not None and self._error.fatal():
                raise KafkaException(self._error)
            return failed

    def _flushed(self) -> int:
        """How many messages have no outcome yet, well after they should have."""
        return self._producer.flush(self._delivery_seconds * 1.2)

    def _failed(self, places: set[int], place: int, error: KafkaError | None, message: Message) -> None:
        self._delivered(error, message)
        if error is not None:
            places.add(place)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._error = error


class RecordPublisher:
    """Publishes the records of one topic. ``key`` is the field that is the records' key in Kafka.

    Satisfies ``domain.lake.ports.DeadLetters`` and ``domain.history.ports.CompactionRequests``.
    """

    def __init__(self, settings: Settings, registry: Registry, topic: Topic, key: str) -> None:
        self._registry = registry
        self._topic = topic
        self._key = attrgetter(key)
        self._producer = BulkProducer(settings)
        self._schema_id: int | None = None

    def publish(self, records: Sequence[Record]) -> None:
        """Returns when Kafka has all of them. On a TransientError publish all of them again."""
        schema_id = self._schema_id = self._schema_id or self._registry.ids()[self._topic.record]
        self._producer.write(
            [(self._topic.name, self._key(each).encode(), frame(schema_id, encode(each))) for each in records]
        )


class DatumPublisher:
    """Publishes datums that are finished already. Satisfies ``domain.outbox.ports.Log``."""

    def __init__(self, settings: Settings, registry: Registry, delivery_seconds: float) -> None:
        self._registry = registry
        self._producer = BulkProducer(settings, delivery_seconds)
        self._ids: dict[tuple[str, str], int] = {}
        """By topic and fingerprint."""

    def publish(self, rows: Sequence[Row]) -> set[int]:
        return self._producer.attempt(
            [(row.topic, row.aggregate.encode(), frame(self._schema_id(row), row.datum)) for row in rows]
        )

    def _schema_id(self, row: Row) -> int:
        written = row.topic, row.fingerprint
        if written not in self._ids:
            self._ids[written] = self._registry.id_of(TOPICS[row.topic], row.fingerprint)
        return self._ids[written]
