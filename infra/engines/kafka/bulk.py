"""Many records into Kafka at once, as fast as one thread can, each of them acknowledged."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from infra.engines.kafka.admin import QUIET
from infra.engines.kafka.config import client_config
from infra.runtime.settings import Settings
from schemas.errors import TransientError

DELIVERY_SECONDS = 60


class BulkProducer:
    def __init__(self, settings: Settings) -> None:
        self._problem: KafkaError | None = None
        self._producer = Producer(
            {
                **client_config(settings),
                **QUIET,  # a broker that is away shows in the delivery reports
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 20,
                "batch.size": 2**20,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 1_000_000,
                "message.max.bytes": 2 * 2**20,  # a dead letter is larger than the record inside it
                "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
                "delivery.report.only.error": True,
                "on_delivery": self._delivered,
            }
        )

    def write(self, messages: Sequence[tuple[str, bytes, bytes]]) -> None:
        """Topic, key, value. Returns when all are acknowledged; TransientError if one is not, or not in time."""
        self._problem = None
        for topic, key, value in messages:
            try:
                self._producer.produce(topic, value, key)
            except BufferError as error:
                raise TransientError("Kafka takes nothing in: the producer's queue is full") from error
            except KafkaException as error:
                raise TransientError(f"Kafka took no more: {error}") from error
        left = self._producer.flush(DELIVERY_SECONDS * 1.2)
        if self._problem is not None and self._problem.fatal():
            raise KafkaException(self._problem)  # this producer is done for: only a restart helps
        if self._problem is not None or left:
            reason = self._problem.str() if self._problem is not None else f"{left} records are not acknowledged"
            raise TransientError(f"Kafka did not take everything: {reason}")

    def _delivered(self, problem: KafkaError | None, _: Message) -> None:
        if problem is not None:
            self._problem = problem
