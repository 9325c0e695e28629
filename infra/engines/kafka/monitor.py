"""Kafka as the pages watch it: from beside, without a group, only the newest. Satisfies ``services.ports.EventLog``."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import TopicPartition

from infra.engines.kafka.admin import ANSWER_S, FIRST, NEXT, KafkaCluster, Partition, answered, onlooker
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.codec import decode
from schemas.errors import InvalidEvent, TransientError
from schemas.events import Record
from schemas.framing import unframe
from schemas.topics import TOPICS


class KafkaWatch:
    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._registry = registry
        self._cluster = KafkaCluster(settings)
        # The records asked for may expire meanwhile.
        self._consumer = onlooker(settings, {"auto.offset.reset": "earliest"})

    def offsets(self) -> tuple[Mapping[Partition, int], Mapping[Partition, int]]:
        partitions = self._cluster.partitions(TOPICS)
        return self._cluster.bounds(partitions, FIRST), self._cluster.bounds(partitions, NEXT)

    def topic_ids(self) -> Mapping[str, str]:
        return self._cluster.topic_ids(TOPICS)

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        return self._cluster.committed(group, partitions)

    def newest(self, topic: str, count: int) -> list[tuple[int, Record]]:
        partitions = self._cluster.partitions([topic])
        starts, ends = self._cluster.bounds(partitions, FIRST), self._cluster.bounds(partitions, NEXT)
        places = {at: max(starts[at], end - count) for at, end in ends.items() if end > starts[at]}
        # One batch has one append time: then the offset tells which record is the newer.
        messages = sorted(self._read(places, ends), key=lambda m: (m.timestamp()[1], m.offset()), reverse=True)
        found = [(message.timestamp()[1], self._decoded(topic, message.value())) for message in messages]
        return [(at, record) for at, record in found if record]

    def close(self) -> None:
        self._consumer.close()

    def _read(self, places: Mapping[Partition, int], ends: Mapping[Partition, int]) -> list[Any]:
        """The records from these places to the ends, or as many as Kafka gives in time."""
        self._consumer.assign([TopicPartition(*partition, offset) for partition, offset in places.items()])
        missing = set(places)
        messages: list[Any] = []
        until = time.monotonic() + ANSWER_S
        while missing and time.monotonic() < until:
            for message in answered(self._consumer.consume, 500, 0.5):
                if not message.error():
                    messages.append(message)
                    at = str(message.topic()), int(message.partition() or 0)
                    if int(message.offset() or 0) + 1 >= ends[at]:
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
