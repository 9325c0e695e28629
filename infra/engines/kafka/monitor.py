"""Offsets, committed positions and the newest records, for the live page. Satisfies ``services.ops.ports.EventLog``."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import TopicPartition

from infra.engines.kafka.admin import ANSWER_S, KafkaCluster, groupless_consumer
from infra.engines.kafka.config import answered
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from schemas.errors import InvalidEvent, TransientError
from schemas.events import Record
from schemas.topics import TOPICS, Partition


class KafkaMonitor:
    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._registry = registry
        self._cluster = KafkaCluster(settings)
        # The requested records may expire in the meantime.
        self._consumer = groupless_consumer(settings, {"auto.offset.reset": "earliest"})

    def offsets(self) -> tuple[Mapping[Partition, int], Mapping[Partition, int]]:
        return self._cluster.range(self._cluster.partitions(TOPICS))

    def topic_ids(self) -> Mapping[str, str]:
        return self._cluster.topic_ids(TOPICS)

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        return self._cluster.committed(group, partitions)

    def newest(self, topic: str, count: int) -> list[tuple[int, Record]]:
        firsts, ends = self._cluster.range(self._cluster.partitions([topic]))
        starts = {each: max(firsts[each], end - count) for each, end in ends.items() if end > firsts[each]}
        # Records of one batch share their append time, so the offset breaks the tie.
        messages = sorted(self._read(starts, ends), key=lambda m: (m.timestamp()[1], m.offset()), reverse=True)
        decoded = [(message.timestamp()[1], self._decoded(topic, message.value())) for message in messages]
        return [(appended_ms, record) for appended_ms, record in decoded if record]

    def close(self) -> None:
        self._consumer.close()

    def _read(self, starts: Mapping[Partition, int], ends: Mapping[Partition, int]) -> list[Any]:
        """The records from these offsets to the ends, or as many as arrive in time."""
        self._consumer.assign([TopicPartition(*partition, offset) for partition, offset in starts.items()])
        missing = set(starts)
        messages: list[Any] = []
        until = time.monotonic() + ANSWER_S
        while missing and time.monotonic() < until:
            for message in answered(self._consumer.consume, 500, 0.5):
                if not message.error():
                    messages.append(message)
                    partition = str(message.topic()), int(message.partition() or 0)
                    if int(message.offset() or 0) + 1 >= ends[partition]:
                        missing.discard(partition)
        self._consumer.unassign()
        if starts and not messages:
            raise TransientError(f"timed out reading the newest records of {min(starts)[0]}")
        return messages

    def _decoded(self, topic: str, payload: bytes | None) -> Record | None:
        """None for an invalid record: the lake sink makes its dead letter."""
        try:
            return self._registry.decode(TOPICS[topic].record, payload)
        except InvalidEvent:
            return None
