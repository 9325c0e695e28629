"""Kafka as the pages watch it: from beside, without a group, only the newest. Satisfies ``services.ports.EventLog``."""

import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from infra.clients.kafka import client_config, topic_id
from infra.clients.registry import Registry
from infra.settings import Settings
from schemas.codec import decode
from schemas.errors import InvalidEvent, TransientError
from schemas.events import Record
from schemas.framing import unframe
from schemas.topics import TOPICS

ANSWER_S = 5.0
FIRST, NEXT = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]

Partition = tuple[str, int]


class KafkaWatch:
    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._registry = registry
        # Quiet: that Kafka is away is for our callers to tell, once, not for every attempt to reconnect.
        common: dict[str, Any] = {**client_config(settings), "log_level": 2, "error_cb": lambda _: None}
        self._admin = AdminClient({**common})
        self._consumer = Consumer(
            {
                **common,
                "group.id": "playhead.onlooker",  # never joined, never committed: librdkafka asks for a name
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",  # the records asked for may expire meanwhile
            }
        )

    def offsets(self) -> tuple[Mapping[Partition, int], Mapping[Partition, int]]:
        partitions = [(name, p.id) for name, topic in self._topics().items() for p in topic.partitions]
        return self._bounds(partitions, FIRST), self._bounds(partitions, NEXT)

    def topic_ids(self) -> Mapping[str, str]:
        return {name: topic_id(topic.topic_id) for name, topic in self._topics().items()}

    def committed(self, group: str) -> Mapping[Partition, int]:
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=ANSWER_S)
        answer = _answered(asked[group].result).topic_partitions or ()
        return {(p.topic, p.partition): p.offset for p in answer if p.offset >= 0}

    def newest(self, topic: str, count: int) -> list[tuple[int, Record]]:
        partitions = [(topic, p.id) for p in self._topics()[topic].partitions]
        starts = self._bounds(partitions, FIRST)
        ends = self._bounds(partitions, NEXT)
        places = {at: max(starts[at], end - count) for at, end in ends.items() if end > starts[at]}
        # One batch has one append time: then the offset tells which record is the newer.
        messages = sorted(self._read(places, ends), key=lambda m: (m.timestamp()[1], m.offset()), reverse=True)
        found = [(message.timestamp()[1], self._decoded(topic, message.value())) for message in messages]
        return [(at, record) for at, record in found if record]

    def close(self) -> None:
        self._consumer.close()

    def _topics(self) -> dict[str, Any]:
        described = self._admin.describe_topics(TopicCollection(list(TOPICS)), request_timeout=ANSWER_S)
        return {name: _answered(future.result) for name, future in described.items()}

    def _bounds(self, partitions: list[Partition], which: OffsetSpec) -> dict[Partition, int]:
        asked = {TopicPartition(*partition): which for partition in partitions}
        answers = self._admin.list_offsets(asked, request_timeout=ANSWER_S)
        return {(at.topic, at.partition): _answered(future.result).offset for at, future in answers.items()}

    def _read(self, places: Mapping[Partition, int], ends: Mapping[Partition, int]) -> list[Any]:
        """The records from these places to the ends, or as many as Kafka gives in time."""
        self._consumer.assign([TopicPartition(*partition, offset) for partition, offset in places.items()])
        missing = set(places)
        messages: list[Any] = []
        until = time.monotonic() + ANSWER_S
        while missing and time.monotonic() < until:
            for message in _answered(self._consumer.consume, 500, 0.5):
                if not message.error():
                    messages.append(message)
                    at = message.topic(), message.partition()
                    if message.offset() + 1 >= ends[at]:
                        missing.discard(at)
        self._consumer.unassign()
        if places and not messages:
            raise TransientError(f"Kafka does not give the newest records of {min(places)[0]}")
        return messages

    def _decoded(self, topic: str, payload: bytes | None) -> Record | None:
        """None for a record that cannot be read: the lake sink makes its dead letter."""
        try:
            schema_id, datum = unframe(payload or b"")
            return decode(TOPICS[topic].record, datum, self._registry.resolve(schema_id))
        except InvalidEvent:
            return None


def _answered(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except KafkaException as error:
        raise TransientError(f"Kafka does not answer: {error.args[0].str()}") from error
