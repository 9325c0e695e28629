"""Kafka's topics as a whole, seen from outside any group. Satisfies ``streams.ledger.ports.KafkaLog``."""

from collections.abc import Iterable, Iterator

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from infra.clients.kafka import client_config, topic_id
from infra.settings import Settings
from schemas.errors import TransientError

BATCH_RECORDS = 5_000
SILENCE_S = 20.0


class KafkaLog:
    def __init__(self, settings: Settings) -> None:
        self._admin = AdminClient({**client_config(settings)})
        self._consumer = Consumer(
            {
                **client_config(settings),
                "group.id": "playhead.onlooker",  # never joined, never committed: librdkafka asks for a name
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
            }
        )

    def spans(self, topics: Iterable[str]) -> list[tuple[str, str, int, int, int]]:
        """(topic, Kafka's topic id, partition, first offset, next offset) of every partition."""
        try:
            described = self._admin.describe_topics(TopicCollection(list(topics)), request_timeout=SILENCE_S)
            return [
                (name, topic_id(topic.topic_id), p.id, *self._bounds(name, p.id))
                for name, topic in ((name, future.result()) for name, future in described.items())
                for p in topic.partitions
            ]
        except KafkaException as error:
            raise TransientError(f"Kafka does not answer: {error}") from error

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=SILENCE_S)
        return low, high

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[list[tuple[int, bytes | None]]]:
        """(offset, value) of the records from start to before end, in batches."""
        self._consumer.assign([TopicPartition(topic, partition, start)])
        position = start
        while position < end:
            messages = self._consumer.consume(min(BATCH_RECORDS, end - position), SILENCE_S)
            faults = [message.error() for message in messages if message.error()]
            if faults or not messages:
                raise TransientError(f"{topic}[{partition}] falls silent at offset {position}: {faults or 'no answer'}")
            batch = [(int(m.offset() or 0), m.value()) for m in messages if int(m.offset() or 0) < end]
            yield batch
            position = int(messages[-1].offset() or 0) + 1

    def lag(self, group: str, topics: Iterable[str]) -> int:
        """Records of these topics that the group has still to commit."""
        asked = ConsumerGroupTopicPartitions(group)
        try:
            answer = self._admin.list_consumer_group_offsets([asked], request_timeout=SILENCE_S)[group].result()
        except KafkaException as error:
            raise TransientError(f"Kafka does not answer: {error}") from error
        committed = {(p.topic, p.partition): p.offset for p in answer.topic_partitions or () if p.offset >= 0}
        spans = self.spans(topics)
        return sum(end - committed.get((topic, partition), start) for topic, _, partition, start, end in spans)
