"""Writes many records to Kafka, as fast as one thread can, and waits for every acknowledgement."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.engines.kafka.admin import QUIET
from infra.engines.kafka.config import client_config
from infra.runtime.settings import Settings
from schemas.errors import TransientError

DELIVERY_SECONDS = 60


class BulkProducer:
    def __init__(self, settings: Settings) -> None:
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
                "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
                "delivery.report.only.error": True,
                "on_delivery": self._delivered,
            }
        )

    def write(self, messages: Sequence[tuple[str, bytes, bytes]]) -> None:
        """Write (topic, key, value) messages. TransientError unless all are acknowledged in time."""
        self._error = None
        for topic, key, value in messages:
            try:
                self._producer.produce(topic, value, key)
            except BufferError as error:
                raise TransientError("producer queue full: Kafka is not accepting records") from error
            except KafkaException as error:
                raise TransientError(f"Kafka rejects records: {error}") from error
        left = self._producer.flush(DELIVERY_SECONDS * 1.2)
        if self._error is not None and self._error.fatal():
            raise KafkaException(self._error)  # this producer cannot recover: only a restart helps
        if self._error is not None or left:
            reason = self._error.str() if self._error is not None else f"{left} records not acknowledged in time"
            raise TransientError(f"Kafka did not acknowledge all records: {reason}")

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._error = error
