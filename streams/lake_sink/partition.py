"""One partition's way into the lake: find the chain's end, buffer, validate, build files, put if absent, commit.

The store is the truth. A position comes only from an object in the store. So a crash, a rebalance or a second sink
on the same partition, at any moment, can neither lose a record nor write one twice.
"""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from domain.clock import Clock
from domain.lake import objects
from domain.lake.batching import FlushLimits, slices
from domain.lake.keys import Chain
from domain.lake.objects import Batch, LakeFile
from domain.lake.ports import DeadLetters, Decoder, Log, ObjectStore, Record, Resolve
from domain.lake.reading import find_end
from schemas import dead_letter
from schemas.codec import DecodedBatch
from schemas.errors import TransientError
from schemas.topics import Partition
from streams.lake_sink.contiguous import ContiguousOffsets
from streams.lake_sink.dead_letter_limit import DeadLetterLimit
from streams.lake_sink.ports import LakeMetrics

MAX_BACKOFF_MS = 10_000

MAX_IDLE_CHECKS = 6
"""The partition is reopened after this many checks in a row without a record, although the log has some."""

_log = structlog.get_logger(__name__)


class Halted(Exception):
    """Continuing would lose or damage records. The partition stops, visibly, until a person acts."""


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What the partitions of one sink share."""

    log: Log
    store: ObjectStore
    dead_letters: DeadLetters
    decoder: Decoder
    resolve: Resolve
    metrics: LakeMetrics
    now: Clock
    limits: FlushLimits


@dataclass(frozen=True, slots=True)
class TopicContract:
    """What a topic's records have in common."""

    record: str
    schema: Mapping[str, Any]
    limit: DeadLetterLimit


class PartitionSink:
    def __init__(self, partition: Partition, contract: TopicContract, context: SinkContext) -> None:
        self.partition = partition
        self.topic, self.number = partition
        self.position = 0
        self.halted = False
        self.paused = False
        self._contract = contract
        self._context = context
        self._chain: Chain | None = None
        self._buffer: list[Record] = []
        self._buffered_bytes = 0
        self._buffered_since = 0
        self._files: deque[LakeFile] = deque()
        self._offsets = ContiguousOffsets(0)
        self._reopen = False
        self._idle_checks = 0
        self._failures = 0
        self._not_before = 0
        self._logger = _log.bind(topic=self.topic, partition=self.number)

    @property
    def opened(self) -> bool:
        return self._chain is not None

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self._buffered_bytes + sum(len(file.body) for file in self._files)

    @property
    def full(self) -> bool:
        return self._context.limits.exceeded(len(self._buffer), self.size, 0)

    @property
    def _must_reopen(self) -> bool:
        """The position in the log is unknown or in doubt."""
        return self._reopen or self._offsets.gap is not None

    @property
    def due(self) -> bool:
        now = self._context.now()
        if self.halted or now < self._not_before:
            return False
        if self._chain is None or self._files or self._must_reopen:
            return True
        return self._context.limits.exceeded(len(self._buffer), self._buffered_bytes, now - self._buffered_since)

    def take(self, records: Sequence[Record]) -> None:
        if self._chain is None:
            return
        taken = self._offsets.accept(records)
        if not self._buffer:
            self._buffered_since = self._context.now()
        self._buffer.extend(taken)
        self._buffered_bytes += sum(map(len, taken))
        self._idle_checks = 0

    def detect_stall(self, topic_ids: Mapping[str, str], end: int) -> None:
        """Detect what no record shows: a recreated topic as long as the old one, or a consumer that delivers nothing.

        ``end``: where the partition's log ends now.
        """
        if self._chain is None:
            return
        waiting = bool(self._buffer or self._files) or self.paused
        self._idle_checks = self._idle_checks + 1 if end > self._offsets.next and not waiting else 0
        if (
            self._idle_checks >= MAX_IDLE_CHECKS
            or topic_ids.get(self.topic, self._chain.topic_id) != self._chain.topic_id
        ):
            self._logger.warning("stalled: reopening", offset=self.position, idle_checks=self._idle_checks)
            self._reopen = True

    def advance(self, topic_ids: Mapping[str, str]) -> None:
        """Do what is due. ``topic_ids`` were read after the last ``take``."""
        try:
            self._advance(topic_ids.get(self.topic))
            self._failures = 0
        except TransientError as error:
            self._failures += 1
            pause = min(MAX_BACKOFF_MS, 100 * 2 ** min(self._failures, 10))
            self._not_before = self._context.now() + int(pause * random.uniform(0.5, 1))
            self._context.metrics.retried("lake")
            self._logger.warning("waiting", offset=self.position, why=str(error))
        except Halted as error:
            self._forget()
            self.halted = True
            self._context.log.pause(self.partition)
            self._context.metrics.halted(*self.partition, True)
            self._logger.error("halted", offset=self.position, why=str(error))

    def _advance(self, topic_id: str | None) -> None:
        if self._chain is None:
            self._open(topic_id)
            return
        if topic_id not in (None, self._chain.topic_id):
            # Nothing says whether the buffered records are from the old topic or from the new one.
            self._logger.error("topic was recreated", offset=self.position, unwritten=len(self._buffer))
            self._open(topic_id)
            return
        if self._buffer and not self._files:
            self._build_files(self._chain)
        while self._files:
            if not self._put(self._files[0]):
                self._open(topic_id, newest_start=self._files[0].start)
                return
            self._files.popleft()
        if self._must_reopen:
            self._open(topic_id)

    def _open(self, topic_id: str | None, newest_start: int | None = None) -> None:
        """Drop everything that is not in the store, and continue where the store's chain ends."""
        self._forget()
        if topic_id is None:
            raise TransientError(f"topic {self.topic} does not exist")
        context, chain = self._context, Chain(self.topic, topic_id, self.number)
        hint = context.log.newest_object(self.partition) if newest_start is None else newest_start
        position, newest = find_end(context.store, chain, hint)
        begin, end = context.log.bounds(self.partition)
        if context.log.topic_ids().get(self.topic) != topic_id:
            raise TransientError(f"topic {self.topic} is being recreated")
        while position < begin:
            self._put_gap(chain, position, begin)
            position, newest = find_end(context.store, chain, position)
        if position > end:
            raise Halted(f"the lake ends at {position}, beyond the log's end {end}: Kafka lost records")
        context.log.seek(self.partition, position)
        if newest is not None:
            # A sink killed between its put and its commit leaves a lag. Without a later record it would stay.
            context.log.commit(self.partition, position, newest)
        self._chain, self.position, self.paused = chain, position, False
        self._offsets = ContiguousOffsets(position, known=self._offsets.gap)
        self._reopen, self._idle_checks = False, 0
        self._logger.info("opened", offset=position, topic_id=topic_id)

    def _forget(self) -> None:
        self._chain, self._buffer, self._buffered_bytes = None, [], 0
        self._files.clear()

    def _build_files(self, chain: Chain) -> None:
        """Validate the buffer, publish its dead letters, build its files."""
        context, contract, records = self._context, self._contract, self._buffer
        decoded = context.decoder.decode(contract.record, [record.value() for record in records])
        self._publish_dead_letters(chain, decoded)
        batch = Batch(records, decoded.schema_ids, {invalid.index for invalid in decoded.invalid})
        ids = [None if i in batch.invalid else schema_id for i, schema_id in enumerate(batch.schema_ids)]
        start = self.position
        for part in slices(ids):
            file = objects.build_file(chain, start, batch, part, (context.resolve, contract.schema))
            self._files.append(file)
            start = file.end
        self._buffer, self._buffered_bytes = [], 0

    def _publish_dead_letters(self, chain: Chain, decoded: DecodedBatch) -> None:
        if not decoded.invalid:
            return
        context, limit = self._context, self._contract.limit
        records = {invalid.index: self._buffer[invalid.index] for invalid in decoded.invalid}
        timestamps = [record.timestamp()[1] for record in records.values()]
        if not limit.allows(timestamps):
            raise Halted(f"{len(records)} more invalid records would exceed the limit of dead letters a minute")
        now = context.now()
        dead_letters = []
        for invalid in decoded.invalid:
            record = records[invalid.index]
            position = dead_letter.Position(chain.topic, chain.topic_id, chain.partition, record.offset())
            dead_letters.append(dead_letter.of_record(invalid.error, position, record.key(), record.value(), now))
        context.dead_letters.publish(dead_letters)
        limit.count(timestamps)
        for each in dead_letters:
            context.metrics.dead_letter(chain.topic, each.error_class)

    def _put(self, file: LakeFile) -> bool:
        """False when another sink, or an earlier attempt of ours whose answer was lost, had written it."""
        context, topic = self._context, self.topic
        began = context.now()
        if not context.store.put_if_absent(file.key, file.body, file.metadata):
            context.metrics.lost_race(topic)
            self._logger.info("object exists already", offset=file.start)
            return False
        self.position = file.end
        context.metrics.stored(topic, file.records, len(file.body), (context.now() - began) / 1000)
        context.metrics.processed(topic, self.number, file.appended)
        context.log.commit(self.partition, file.end, file.start)
        self._logger.info("stored", offset=file.end, records=file.records, bytes=len(file.body))
        return True

    def _put_gap(self, chain: Chain, start: int, end: int) -> None:
        file, context = objects.build_gap(chain, start, end, self._contract.schema), self._context
        if context.store.put_if_absent(file.key, file.body, file.metadata):
            context.metrics.gap(chain.topic, end - start)
            self._logger.error("gap: records left the log before the lake read them", offset=start, end=end)
            context.log.commit(self.partition, end, start)
