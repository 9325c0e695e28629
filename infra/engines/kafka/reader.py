"""Kafka's topics read from end to end, without a group. Satisfies ``domain.ledger.ports.KafkaLog``."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from confluent_kafka import KafkaException, TopicPartition

from infra.engines.kafka.admin import FIRST, NEXT, KafkaCluster, at_time, onlooker
from infra.runtime.settings import Settings
from schemas.errors import TransientError

BATCH_RECORDS = 5_000
SILENCE_S = 20.0
LOOKUP_S = 5.0


class KafkaLog:
    def __init__(self, settings: Settings) -> None:
        self._cluster = KafkaCluster(settings)
        # What we ask for is there: no fetch at a partition's end may hold up the next one's.
        self._consumer = onlooker(settings, {"auto.offset.reset": "error", "fetch.wait.max.ms": 10})

    def spans(self, topics: Iterable[str]) -> list[tuple[str, str, int, int, int]]:
        """(topic, Kafka's topic id, partition, first offset, next offset) of every partition."""
        ids = self._cluster.topic_ids(topics)
        partitions = self._cluster.partitions(ids)
        first, after = self._cluster.bounds(partitions, FIRST), self._cluster.bounds(partitions, NEXT)
        return [(topic, ids[topic], number, first[topic, number], after[topic, number]) for topic, number in partitions]

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[list[tuple[int, bytes | None]]]:
        """(offset, value) of the records from start to before end, in batches."""
        for batch in self.records(topic, partition, start, end):
            yield [(offset, value) for offset, value, _ in batch]

    def records(
        self, topic: str, partition: int, start: int, end: int
    ) -> Iterator[list[tuple[int, bytes | None, int]]]:
        """As ``read``, and when Kafka appended each, in milliseconds."""
        with suppress(KafkaException):  # its silence below says it
            self._consumer.list_topics(topic, LOOKUP_S)  # else a topic's first partition waits a second for its leader
        self._consumer.assign([TopicPartition(topic, partition, start)])
        position = start
        while position < end:
            messages = self._consumer.consume(min(BATCH_RECORDS, end - position), SILENCE_S)
            faults = [message.error() for message in messages if message.error()]
            if faults or not messages:
                raise TransientError(f"{topic}[{partition}] falls silent at offset {position}: {faults or 'no answer'}")
            yield [(int(m.offset() or 0), m.value(), m.timestamp()[1]) for m in messages if int(m.offset() or 0) < end]
            position = int(messages[-1].offset() or 0) + 1
        self._consumer.unassign()  # else it would go on asking for more

    def since(self, topic: str, appended_ms: int) -> list[tuple[int, int, int]]:
        """(partition, first offset appended at that time or later, next offset) of every partition."""
        partitions = self._cluster.partitions([topic])
        after = self._cluster.bounds(partitions, NEXT)
        first = self._cluster.bounds(partitions, at_time(appended_ms))
        return [(at[1], after[at] if first[at] < 0 else first[at], after[at]) for at in partitions]

    def lag(self, group: str, topics: Iterable[str]) -> int:
        """Records of these topics that the group has still to commit."""
        partitions = self._cluster.partitions(topics)
        committed = self._cluster.committed(group, partitions)  # before the ends: what comes in between counts as lag
        first, after = self._cluster.bounds(partitions, FIRST), self._cluster.bounds(partitions, NEXT)
        return sum(after[at] - committed.get(at, first[at]) for at in partitions)
