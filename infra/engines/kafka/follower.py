"""Follows a topic from its beginning, without a group, into a copy that is also kept in a file.

A process starts from the file, so it answers with Kafka away, too. The copy is complete when it has reached the ends
that the topic had a moment before; the age says how long ago that was.
"""

import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog
from confluent_kafka import KafkaError, TopicPartition

from domain.clock import Clock
from domain.copy_file import Copy, CopyFile
from domain.metrics import COPY_AGE, RETRIES, SKIPPED, Metrics
from infra.engines.kafka.admin import KafkaCluster, groupless_consumer
from infra.engines.kafka.config import answered
from infra.engines.registry import Registry
from infra.runtime.kept_file import KeptFile
from infra.runtime.settings import Settings
from schemas.errors import InvalidEvent, TransientError
from schemas.events import RECORD_TYPES
from schemas.topics import Topic

CHECK_MS = 5_000
SAVE_MS = 60_000
RETRY_S = 1.0
POLL_S = 0.2

_log = structlog.get_logger(__name__)


C = TypeVar("C", bound=Copy[Any])


class Follower(Generic[C]):
    """Follows in a separate thread, from ``start`` to ``close``. ``new_copy`` makes an empty one."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        metrics: Metrics,
        now: Clock,
        topic: Topic,
        new_copy: Callable[[], C],
        file: Path,
        save_ms: int = SAVE_MS,
    ) -> None:
        """``save_ms``: the file is written at most this long after a record came."""
        self._settings = settings
        self._registry = registry
        self._metrics = metrics
        self._now = now
        self._topic = topic
        self._new_copy = new_copy
        self._kept = KeptFile(file)
        self._save_ms = save_ms
        self._unsaved = False
        """Whether records came since the file was written."""
        self._copy = self._reading = new_copy()
        """What is answered, and what records go into: the same, unless the topic is read from its beginning."""
        self._topic_id = ""
        self._offsets: dict[int, int] = {}
        self._as_of: int | None = None
        self._checked_at = self._saved_at = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follower-{topic.name}", daemon=True)

    @property
    def copy(self) -> C:
        """Of this moment: ask again each time, since another one may take its place."""
        return self._copy

    @property
    def ready(self) -> bool:
        """Whether the copy was complete at some time."""
        return self._as_of is not None

    @property
    def age_ms(self) -> int | None:
        """Since the copy was complete last. None: it never was."""
        return None if self._as_of is None else max(0, self._now() - self._as_of)

    def start(self) -> None:
        self._load()
        self._thread.start()

    def close(self) -> None:
        """Stops, and writes the file. A second call does nothing."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join()
        self._save()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except Exception as error:  # whatever it is: a copy that nobody reads into would seem to be young
                unknown = not isinstance(error, TransientError)
                self._metrics.increment(RETRIES, operation="follow")
                _log.warning("waiting", topic=self._topic.name, why=str(error), exc_info=unknown)
                self._report()
                self._stop.wait(RETRY_S)

    def _follow(self) -> None:
        """Until stopped. TransientError when Kafka or the registry does not answer, or the topic was made again."""
        cluster = KafkaCluster(self._settings)
        topic_id = cluster.topic_ids([self._topic.name])[self._topic.name]
        partitions = cluster.partitions([self._topic.name])
        first, end = cluster.range(partitions)
        if topic_id != self._topic_id or any(self._offsets.get(n, 0) > end[topic, n] for topic, n in partitions):
            self._topic_id, self._offsets, self._reading = topic_id, {}, self._new_copy()
            _log.info("reading from the beginning", topic=self._topic.name, topic_id=topic_id)
        for topic, number in partitions:
            self._offsets[number] = max(self._offsets.get(number, 0), first[topic, number])
        consumer = groupless_consumer(self._settings, {"auto.offset.reset": "earliest", "enable.partition.eof": True})
        try:
            consumer.assign([TopicPartition(self._topic.name, number, at) for number, at in self._offsets.items()])
            while not self._stop.is_set():
                messages = answered(consumer.consume, 500, POLL_S)
                self._take(messages)
                if (not messages and not self.ready) or self._now() - self._checked_at >= CHECK_MS:
                    self._check(cluster)
                if self._now() - self._saved_at >= (self._save_ms if self._unsaved else SAVE_MS):
                    self._save()
        finally:
            consumer.close()

    def _take(self, messages: Collection[Any]) -> None:
        self._unsaved |= bool(messages)
        for message in messages:
            error, position = message.error(), int(message.offset() or 0)
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise TransientError(f"Kafka: {error.str()}")
            if error is None:
                try:
                    self._reading.take(self._registry.decode(self._topic.record, message.value()))
                except InvalidEvent as invalid:  # the lake sink makes its dead letter
                    self._metrics.increment(SKIPPED, topic=self._topic.name, code=invalid.code)
                position += 1
            self._offsets[int(message.partition() or 0)] = (
                position  # an end has an offset, too: nothing may be before it
            )

    def _check(self, cluster: KafkaCluster) -> None:
        """Whether the copy has all that Kafka has now."""
        asked = self._checked_at = self._now()
        if cluster.topic_ids([self._topic.name])[self._topic.name] != self._topic_id:
            raise TransientError(f"the topic {self._topic.name} was made again")
        _, end = cluster.range(cluster.partitions([self._topic.name]))
        if len(end) != len(self._offsets):
            raise TransientError(f"the topic {self._topic.name} has more partitions than before")
        if all(self._offsets.get(number, 0) >= at for (_, number), at in end.items()):
            self._copy, self._as_of = self._reading, asked
        self._report()

    def _report(self) -> None:
        if (age := self.age_ms) is not None:
            self._metrics.set(COPY_AGE, age / 1000, topic=self._topic.name)

    def _load(self) -> None:
        found, path = self._kept.read(), str(self._kept.path)
        if found is None:
            return
        try:
            kept = CopyFile.decoded(found.content, RECORD_TYPES[self._topic.record])
        except ValueError as error:
            _log.warning("the file of the copy is not readable: starting without it", file=path, why=str(error))
            return
        for record in kept.records:
            self._copy.take(record)
        self._topic_id, self._offsets, self._as_of = kept.topic_id, dict(kept.offsets), kept.as_of
        _log.info("starting from the file", file=path, records=len(kept.records), age_ms=self.age_ms)

    def _save(self) -> None:
        """While the topic is read from its beginning, the older file stays."""
        if self._as_of is None or self._reading is not self._copy:
            return
        self._saved_at, self._unsaved = self._now(), False
        self._copy.forget(self._now())
        kept = CopyFile(self._topic_id, self._offsets, self._as_of, self._copy.records)
        self._kept.write(kept.encoded())
