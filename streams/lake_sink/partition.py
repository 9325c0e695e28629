"""One partition's way into the lake: find the chain's end, buffer, validate, build files, put if absent, commit.

The store is the truth. A position comes only from an object in the store. So a crash, a rebalance or a second sink
on the same partition, at any moment, can neither lose a record nor write one twice.
"""

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
from domain.metrics import (
    DEAD_LETTERS_MADE,
    LAKE_BYTES,
    LAKE_GAP_OFFSETS,
    LAKE_HALTED,
    LAKE_OBJECTS,
    LAKE_PUT,
    LAKE_PUT_CONFLICTS,
    LAKE_RECORDS,
    RETRIES,
    Metrics,
)
from schemas import dead_letter
from schemas.batch import DecodedBatch
from schemas.errors import TransientError
from schemas.topics import COMPACTION_LAG_MS, Partition
from streams.lake_sink.contiguous import ContiguousOffsets
from streams.lake_sink.dead_letter_limit import DeadLetterLimit
from streams.lake_sink.states import Backoff, Halted, Opening, Reading
from streams.progress import report_processed

MAX_IDLE_CHECKS = 6
"""The partition is reopened after this many checks in a row without a record, although the log has some."""

_log = structlog.get_logger(__name__)


class MustHalt(Exception):
    """Continuing would lose or damage records. The partition stops, visibly, until a person acts."""


@dataclass(frozen=True, slots=True)
class SinkContext:
    """What the partitions of one sink share."""

    log: Log
    store: ObjectStore
    dead_letters: DeadLetters
    decoder: Decoder
    resolve: Resolve
    metrics: Metrics
    now: Clock
    limits: FlushLimits


@dataclass(frozen=True, slots=True)
class TopicContract:
    """What a topic's records have in common."""

    record: str
    schema: Mapping[str, Any]
    limit: DeadLetterLimit
    compacted: bool = False


class PartitionSink:
    def __init__(self, partition: Partition, contract: TopicContract, context: SinkContext) -> None:
        self.partition = partition
        self.topic, self.number = partition
        self.position = 0
        self.state: Opening | Reading | Halted = Opening()
        self._backoff = Backoff()
        self._contract = contract
        self._context = context
        self._logger = _log.bind(topic=self.topic, partition=self.number)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.state.size if isinstance(self.state, Reading) else 0

    @property
    def due(self) -> bool:
        now, state = self._context.now(), self.state
        if isinstance(state, Halted) or now < self._backoff.until:
            return False
        if isinstance(state, Opening) or state.files or state.must_reopen:
            return True
        return self._context.limits.exceeded(len(state.buffer), state.bytes, now - state.since)

    def take(self, records: Sequence[Record]) -> None:
        if not isinstance(self.state, Reading):
            return
        reading = self.state
        removed_before = self._context.now() - COMPACTION_LAG_MS if self._contract.compacted else 0
        taken = reading.offsets.accept(records, removed_before)
        if not reading.buffer:
            reading.since = self._context.now()
        reading.buffer.extend(taken)
        reading.bytes += sum(map(len, taken))
        reading.idle_checks = 0

    def throttle(self, crowded: bool) -> None:
        """Pause while the buffer is full, or all buffers together are."""
        if not isinstance(self.state, Reading):
            return
        wanted = crowded or self._context.limits.exceeded(len(self.state.buffer), self.size, 0)
        if wanted != self.state.paused:
            self.state.paused = wanted
            (self._context.log.pause if wanted else self._context.log.resume)(self.partition)

    def detect_stall(self, topic_ids: Mapping[str, str], end: int) -> None:
        """Detect what no record shows: a recreated topic as long as the old one, or a consumer that delivers nothing.

        ``end``: where the partition's log ends now.
        """
        if not isinstance(self.state, Reading):
            return
        reading = self.state
        waiting = bool(reading.buffer or reading.files) or reading.paused
        reading.idle_checks = reading.idle_checks + 1 if end > reading.offsets.next and not waiting else 0
        recreated = topic_ids.get(self.topic, reading.chain.topic_id) != reading.chain.topic_id
        if recreated or reading.idle_checks >= MAX_IDLE_CHECKS:
            self._logger.warning("stalled: reopening", offset=self.position, idle_checks=reading.idle_checks)
            reading.stalled = True

    def advance(self, topic_ids: Mapping[str, str]) -> None:
        """Do what is due. ``topic_ids`` were read after the last ``take``."""
        try:
            self._advance(topic_ids.get(self.topic))
            self._backoff.failures = 0
        except TransientError as error:
            self._backoff.failed(self._context.now())
            self._context.metrics.increment(RETRIES, operation="lake")
            self._logger.warning("waiting", offset=self.position, why=str(error))
        except MustHalt as error:
            self.state = Halted()
            self._context.log.pause(self.partition)
            self._context.metrics.set(LAKE_HALTED, 1, topic=self.topic, partition=self.number)
            self._logger.error("halted", offset=self.position, why=str(error))

    def _advance(self, topic_id: str | None) -> None:
        if isinstance(self.state, Reading):
            self._flush(self.state, topic_id)
        if isinstance(self.state, Opening):
            self.state = self._open(self.state, topic_id)

    def _flush(self, reading: Reading, topic_id: str | None) -> None:
        """Write what is buffered. Afterwards the state is Opening if the chain's end has to be looked up again."""
        if topic_id not in (None, reading.chain.topic_id):
            # Nothing says whether the buffered records are from the old topic or from the new one.
            self._logger.error("topic was recreated", offset=self.position, unwritten=len(reading.buffer))
            self.state = Opening(gap=reading.offsets.gap)
            return
        if reading.buffer and not reading.files:
            reading.files.extend(self._build_files(reading))
            reading.buffer, reading.bytes = [], 0
        while reading.files:
            if not self._put(reading.files[0]):
                self.state = Opening(reading.files[0].start, reading.offsets.gap)
                return
            reading.files.popleft()
        if reading.must_reopen:
            self.state = Opening(gap=reading.offsets.gap)

    def _open(self, opening: Opening, topic_id: str | None) -> Reading:
        """Continue where the store's chain ends."""
        if topic_id is None:
            raise TransientError(f"topic {self.topic} does not exist")
        context, chain = self._context, Chain(self.topic, topic_id, self.number)
        hint = opening.newest_object
        position, newest = find_end(
            context.store, chain, context.log.newest_object(self.partition) if hint is None else hint
        )
        begin, end = context.log.bounds(self.partition)
        if context.log.topic_ids().get(self.topic) != topic_id:
            raise TransientError(f"topic {self.topic} is being recreated")
        while position < begin:
            self._put_gap(chain, position, begin)
            position, newest = find_end(context.store, chain, position)
        if position > end:
            raise MustHalt(f"the lake ends at {position}, beyond the log's end {end}: Kafka lost records")
        context.log.seek(self.partition, position)
        if newest is not None:
            # A sink killed between its put and its commit leaves a lag. Without a later record it would stay.
            context.log.commit(self.partition, position, newest)
        self.position = position
        self._logger.info("opened", offset=position, topic_id=topic_id)
        return Reading(chain, ContiguousOffsets(position, known=opening.gap))

    def _build_files(self, reading: Reading) -> list[LakeFile]:
        """Validate the buffer, publish its dead letters, build its files."""
        context, contract, records = self._context, self._contract, reading.buffer
        decoded = context.decoder.decode(contract.record, [record.value() for record in records])
        self._publish_dead_letters(reading, decoded)
        batch = Batch(records, decoded.schema_ids, {invalid.index for invalid in decoded.invalid})
        ids = [None if i in batch.invalid else schema_id for i, schema_id in enumerate(batch.schema_ids)]
        files: list[LakeFile] = []
        for part in slices(ids):
            start = files[-1].end if files else self.position
            schemas = context.resolve, contract.schema
            files.append(objects.build_file(reading.chain, start, batch, part, schemas))
        return files

    def _publish_dead_letters(self, reading: Reading, decoded: DecodedBatch) -> None:
        if not decoded.invalid:
            return
        context, limit, chain = self._context, self._contract.limit, reading.chain
        records = {invalid.index: reading.buffer[invalid.index] for invalid in decoded.invalid}
        timestamps = [record.timestamp()[1] for record in records.values()]
        if not limit.allows(timestamps):
            raise MustHalt(f"{len(records)} more invalid records would exceed the limit of dead letters a minute")
        now = context.now()
        dead_letters = []
        for invalid in decoded.invalid:
            record = records[invalid.index]
            position = dead_letter.Position(chain.topic, chain.topic_id, chain.partition, record.offset())
            dead_letters.append(dead_letter.of_record(invalid.error, position, record.key(), record.value(), now))
        context.dead_letters.publish(dead_letters)
        limit.count(timestamps)
        for each in dead_letters:
            context.metrics.increment(DEAD_LETTERS_MADE, step="lake", topic=chain.topic, code=each.error_class)

    def _put(self, file: LakeFile) -> bool:
        """False when another sink, or an earlier attempt of ours whose answer was lost, had written it."""
        context, topic = self._context, self.topic
        began = context.now()
        if not context.store.put_if_absent(file.key, file.body, file.metadata):
            context.metrics.increment(LAKE_PUT_CONFLICTS, topic=topic)
            self._logger.info("object exists already", offset=file.start)
            return False
        self.position = file.end
        context.metrics.increment(LAKE_OBJECTS, topic=topic)
        context.metrics.increment(LAKE_RECORDS, file.records, topic=topic)
        context.metrics.increment(LAKE_BYTES, len(file.body), topic=topic)
        context.metrics.observe(LAKE_PUT, (context.now() - began) / 1000)
        report_processed(context.metrics, topic, self.number, file.appended, context.now())
        context.log.commit(self.partition, file.end, file.start)
        self._logger.info("stored", offset=file.end, records=file.records, bytes=len(file.body))
        return True

    def _put_gap(self, chain: Chain, start: int, end: int) -> None:
        file, context = objects.build_gap(chain, start, end, self._contract.schema), self._context
        if context.store.put_if_absent(file.key, file.body, file.metadata):
            context.metrics.increment(LAKE_GAP_OFFSETS, end - start, topic=chain.topic)
            self._logger.error("gap: records left the log before the lake read them", offset=start, end=end)
            context.log.commit(self.partition, end, start)
