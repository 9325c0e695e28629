"""The lake sink's consumer: a group member that starts where the sink says, never at Kafka's committed offsets.

Commits are only hints; their metadata is the start of the newest object.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from infra.engines.kafka.admin import NEXT, KafkaCluster
from infra.engines.kafka.config import answered, client_config
from infra.runtime.settings import Settings
from schemas.topics import Partition

POLL_RECORDS = 10_000
POLL_SECONDS = 0.2
ANSWER_SECONDS = 10

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class PollResult:
    revoked: list[Partition] = field(default_factory=list)
    assigned: list[Partition] = field(default_factory=list)
    records: dict[Partition, list[Any]] = field(default_factory=dict)


class KafkaConsumer:
    def __init__(self, settings: Settings, group: str, member: str, topics: Sequence[str]) -> None:
        """Joins the group. ``member`` is fixed for a worker, so it gets its partitions back after a restart."""
        self._topics = list(topics)
        self._cluster = KafkaCluster(settings, ANSWER_SECONDS)
        self._consumer = Consumer(
            {
                **client_config(settings),
                "group.id": group,
                "group.instance.id": member,
                "partition.assignment.strategy": "cooperative-sticky",
                # Skips nothing unnoticed: the sink compares each offset with the one it expects. ("error" would leave
                # the partition in a state that no seek ends.)
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "allow.auto.create.topics": False,
                "session.timeout.ms": 10_000,
                # A worker keeps its partitions during a long outage of the store; its lag shows the outage.
                "max.poll.interval.ms": 3_600_000,
                "topic.metadata.refresh.interval.ms": 10_000,
                "queued.max.messages.kbytes": 32_768,
                # The broker collects for up to half a second: an object waits longer for its records anyway.
                "fetch.min.bytes": 2**20,
                "fetch.wait.max.ms": 500,
            }
        )
        self._polled = PollResult()
        self._consumer.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    def poll(self) -> PollResult:
        self._polled = polled = PollResult()
        messages = self._consumer.consume(POLL_RECORDS, POLL_SECONDS)
        for (topic, number, bad), run in groupby(messages, _position):
            if bad:
                for message in run:
                    self._handle_error((topic, number), message.error())
            else:
                polled.records.setdefault((topic, number), []).extend(run)
        return polled

    def _handle_error(self, partition: Partition, error: Any) -> None:
        if is_final(error):
            raise KafkaException(error)
        _log.warning("kafka", topic=partition[0], partition=partition[1], why=error.str())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # At 0 and not at the end: librdkafka would look the end up, and its late answer would undo the seek.
        paused = [TopicPartition(p.topic, p.partition, 0) for p in partitions]
        consumer.incremental_assign(paused)
        consumer.pause(paused)
        self._polled.assigned += [(p.topic, p.partition) for p in partitions]

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions)
        gone = [(p.topic, p.partition) for p in partitions]
        self._polled.revoked += gone
        self._polled.assigned = [each for each in self._polled.assigned if each not in gone]

    def seek(self, partition: Partition, offset: int) -> None:
        """Deliver from this offset on. TransientError while the assignment is not complete."""
        position = TopicPartition(*partition, offset)
        answered(self._consumer.seek, position)
        answered(self._consumer.resume, [position])

    def pause(self, partition: Partition) -> None:
        self._consumer.pause([TopicPartition(*partition)])

    def resume(self, partition: Partition) -> None:
        self._consumer.resume([TopicPartition(*partition)])

    def topic_ids(self) -> dict[str, str]:
        """The ids of the topics that exist."""
        return self._cluster.topic_ids(self._topics, existing=True)

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """The first offset still in Kafka, and the next one to be appended."""
        first, after = self._cluster.range([partition])
        return first[partition], after[partition]

    def newest_object(self, partition: Partition) -> int | None:
        """The start of the newest object, from the commit's metadata; None without a commit."""
        (committed,) = answered(self._consumer.committed, [TopicPartition(*partition)], timeout=ANSWER_SECONDS)
        metadata = committed.metadata or ""
        return int(metadata) if metadata.isdecimal() else None

    def commit(self, partition: Partition, position: int, newest_object: int) -> None:
        try:
            self._consumer.commit(offsets=[TopicPartition(*partition, position, str(newest_object))])
        except KafkaException as error:
            _log.info("not committed", topic=partition[0], partition=partition[1], why=str(error))

    def ends(self) -> dict[Partition, int]:
        """The next offsets of the assigned partitions."""
        # Not through the consumer: the request would wait behind its long fetches, half a second each.
        return self._cluster.bounds([(p.topic, p.partition) for p in answered(self._consumer.assignment)], NEXT)

    def close(self) -> None:
        """Waits for pending commits, then stops. A static member keeps its partitions until its session times out."""
        self._consumer.close()


def is_final(error: Any) -> bool:
    """Whether the consumer delivers nothing after this error. An error that comes as a message lacks ``fatal``."""
    return bool(error.fatal() or error.code() == KafkaError._FATAL)


def _position(message: Any) -> tuple[str, int, bool]:
    return message.topic(), message.partition(), message.error() is not None
