"""Reads topics from offset to offset, without a group. Satisfies ``domain.ledger.ports.RecordLog``."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from infra.engines.kafka.admin import NEXT, KafkaCluster, at_time, groupless_consumer
from infra.runtime.settings import Settings
from schemas.errors import TransientError

BATCH_RECORDS = 5_000
READ_TIMEOUT_S = 20.0
"""For the next record."""
POLL_S = 0.1
LOOKUP_S = 5.0


class TopicReader:
    def __init__(self, settings: Settings) -> None:
        self._cluster = KafkaCluster(settings)
        # The requested records exist, so a fetch at a partition's end must not delay the next partition.
        self._consumer = groupless_consumer(
            settings, {"auto.offset.reset": "error", "fetch.wait.max.ms": 10, "enable.partition.eof": True}
        )

    def spans(self, topics: Iterable[str]) -> list[tuple[str, str, int, int, int]]:
        """(topic, topic id, partition, first offset, next offset) of every partition."""
        ids = self._cluster.topic_ids(topics)
        partitions = self._cluster.partitions(ids)
        first, after = self._cluster.range(partitions)
        return [(topic, ids[topic], number, first[topic, number], after[topic, number]) for topic, number in partitions]

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[list[tuple[int, bytes | None]]]:
        """(offset, value) of the records from ``start`` up to but excluding ``end``, in batches."""
        for batch in self.records(topic, partition, start, end):
            yield [(offset, value) for offset, value, _ in batch]

    def records(
        self, topic: str, partition: int, start: int, end: int
    ) -> Iterator[list[tuple[int, bytes | None, int]]]:
        """Like ``read``, with the append time of each record in milliseconds."""
        with suppress(KafkaException):  # the read below reports the error
            self._consumer.list_topics(
                topic, LOOKUP_S
            )  # otherwise a topic's first partition waits a second for its leader
        self._consumer.assign([TopicPartition(topic, partition, start)])
        position, read_at = start, time.monotonic()
        while position < end:
            # Compaction may have left fewer records than offsets: they are not waited for.
            messages = self._consumer.consume(min(BATCH_RECORDS, end - position), POLL_S)
            # The end of the partition has an offset, too: behind the last record, compaction may leave nothing.
            errors = [error for message in messages if (error := message.error())]
            faults = [error for error in errors if error.code() != KafkaError._PARTITION_EOF]
            if faults or (not messages and time.monotonic() - read_at > READ_TIMEOUT_S):
                raise TransientError(
                    f"timed out reading {topic}[{partition}] at offset {position}: {faults or 'no answer'}"
                )
            if messages:
                read_at = time.monotonic()
                records = [m for m in messages if not m.error()] if errors else messages
                yield [(at, m.value(), m.timestamp()[1]) for m in records if (at := m.offset() or 0) < end]
                position = int(messages[-1].offset() or 0) + (not messages[-1].error())
        self._consumer.unassign()  # otherwise it would keep fetching

    def since(self, topic: str, appended_ms: int) -> list[tuple[int, int, int]]:
        """(partition, first offset appended at that time or later, next offset) of every partition."""
        partitions = self._cluster.partitions([topic])
        after = self._cluster.bounds(partitions, NEXT)
        first = self._cluster.bounds(partitions, at_time(appended_ms))
        return [(at[1], after[at] if first[at] < 0 else first[at], after[at]) for at in partitions]

    def lag(self, group: str, topics: Iterable[str]) -> int:
        """How many records of these topics the group has not committed yet."""
        partitions = self._cluster.partitions(topics)
        committed = self._cluster.committed(
            group, partitions
        )  # before the ends, so that records appended in between count as lag
        first, after = self._cluster.range(partitions)
        return sum(after[at] - committed.get(at, first[at]) for at in partitions)
