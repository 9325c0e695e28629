"""Kafka as the lake sink sees it, in memory: topics that expire and come back, groups, dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.errors import TransientError
from schemas.events import DeadLetter
from schemas.topics import Partition


@dataclass(frozen=True, slots=True)
class FakeRecord:
    at: int
    payload: bytes | None
    appended: int = 0

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return (2, self.appended)

    def key(self) -> bytes | None:
        return b"key"

    def value(self) -> bytes | None:
        return self.payload

    def __len__(self) -> int:
        return len(self.payload or b"")


@dataclass(slots=True)
class FakeTopic:
    topic_id: str
    partitions: list[list[FakeRecord | None]]
    """None: an offset without a record, where a transaction ended or compaction removed one."""
    begins: list[int]
    """First offset that each partition still has."""


@dataclass(slots=True)
class FakeKafka:
    topics: dict[str, FakeTopic] = field(default_factory=dict)
    commits: dict[Partition, tuple[int, int]] = field(default_factory=dict)
    """Position and start of the newest object, as some sink committed them."""
    dead_letters: list[DeadLetter] = field(default_factory=list)
    created: int = 0

    def create(self, name: str, partitions: int = 1) -> FakeTopic:
        self.created += 1
        logs: list[list[FakeRecord | None]] = [[] for _ in range(partitions)]
        self.topics[name] = FakeTopic(f"id-{self.created}", logs, [0] * partitions)
        return self.topics[name]

    def append(self, partition: Partition, *payloads: bytes | None, now: int = 0) -> None:
        log = self.topics[partition[0]].partitions[partition[1]]
        log += [FakeRecord(len(log) + i, payload, now) for i, payload in enumerate(payloads)]

    def end_transaction(self, partition: Partition) -> None:
        self.topics[partition[0]].partitions[partition[1]].append(None)

    def compact(self, partition: Partition, *offsets: int) -> None:
        """The cleaner removes these records."""
        for offset in offsets:
            self.topics[partition[0]].partitions[partition[1]][offset] = None

    def expire(self, partition: Partition, begin: int) -> None:
        """Retention drops everything before ``begin``."""
        begins = self.topics[partition[0]].begins
        begins[partition[1]] = max(begins[partition[1]], begin)

    def publish(self, dead_letters: Sequence[DeadLetter]) -> None:
        self.dead_letters += dead_letters


@dataclass(slots=True)
class FakePollResult:
    revoked: list[Partition] = field(default_factory=list)
    assigned: list[Partition] = field(default_factory=list)
    records: dict[Partition, list[FakeRecord]] = field(default_factory=dict)


class FakeLakeLog:
    """One group member's view. Tests assign and revoke its partitions."""

    def __init__(self, kafka: FakeKafka, fetch: int = 1000) -> None:
        self.kafka = kafka
        self.fetch = fetch
        self.paused: set[Partition] = set()
        self._positions: dict[Partition, int | None] = {}
        self._next = FakePollResult()

    def assign(self, *partitions: Partition) -> None:
        self._next.assigned += partitions

    def revoke(self, *partitions: Partition) -> None:
        self._next.revoked += partitions
        for partition in partitions:
            self._positions.pop(partition, None)

    def poll(self) -> FakePollResult:
        polled, self._next = self._next, FakePollResult()
        for partition, position in self._positions.items():
            topic = self.kafka.topics.get(partition[0])
            if topic is None or position is None or partition in self.paused:
                continue
            log = topic.partitions[partition[1]]
            if not topic.begins[partition[1]] <= position <= len(log):
                position = topic.begins[partition[1]]
            fetched = log[position : position + self.fetch]
            self._positions[partition] = position + len(fetched)
            if records := [record for record in fetched if record is not None]:
                polled.records[partition] = records
        for partition in polled.assigned:
            self._positions[partition] = None
        return polled

    def seek(self, partition: Partition, offset: int) -> None:
        if partition not in self._positions:
            raise TransientError("not assigned")
        self._positions[partition] = offset
        self.paused.discard(partition)

    def pause(self, partition: Partition) -> None:
        self.paused.add(partition)

    def resume(self, partition: Partition) -> None:
        self.paused.discard(partition)

    def topic_ids(self) -> dict[str, str]:
        return {name: topic.topic_id for name, topic in self.kafka.topics.items()}

    def bounds(self, partition: Partition) -> tuple[int, int]:
        topic = self.kafka.topics[partition[0]]
        return topic.begins[partition[1]], len(topic.partitions[partition[1]])

    def newest_object(self, partition: Partition) -> int | None:
        committed = self.kafka.commits.get(partition)
        return None if committed is None else committed[1]

    def commit(self, partition: Partition, position: int, newest_object: int) -> None:
        self.kafka.commits[partition] = (position, newest_object)

    def ends(self) -> dict[Partition, int]:
        return {partition: self.bounds(partition)[1] for partition in self._positions}
