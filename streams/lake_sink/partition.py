"""One partition's way into the lake: find the chain's end, buffer, judge, seal, put if absent, go on.

The store is the truth. A position comes only from an object that is in the store, so a crash, a rebalance or a
second sink on the same partition, at any moment, can neither lose a record nor write one twice.
"""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from domain.clock import Clock
from domain.lake import chain as chains
from domain.lake import objects
from domain.lake.batching import Bounds, spans
from domain.lake.keys import Chain
from domain.lake.objects import Batch, Sealed
from domain.lake.ports import DeadLetters, Decoder, Log, ObjectStore, Partition, Record, Resolve, Verdicts
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
from schemas.errors import TransientError
from streams.lake_sink.contiguous import Succession
from streams.lake_sink.dead_letter_limit import DeadLetterLimit
from streams.progress import report_processed

LONGEST_PAUSE_MS = 10_000

MOST_SILENCES = 6
"""So many looks in a row without a record, although the log has some, and the partition is sought anew."""

_log = structlog.get_logger(__name__)


class Halted(Exception):
    """Going on would lose or damage records: the partition stands still, visibly, until somebody looks."""


@dataclass(frozen=True, slots=True)
class World:
    """All that the partitions of one sink share."""

    log: Log
    store: ObjectStore
    letters: DeadLetters
    decoder: Decoder
    resolve: Resolve
    metrics: Metrics
    now: Clock
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Contract:
    """What a topic's records have in common."""

    record: str
    schema: Mapping[str, Any]
    limit: DeadLetterLimit


class PartitionSink:
    def __init__(self, partition: Partition, contract: Contract, world: World) -> None:
        self.partition = partition
        self.topic, self.number = partition
        self.position = 0
        self.halted = False
        self.paused = False
        self._contract = contract
        self._world = world
        self._chain: Chain | None = None
        self._held: list[Record] = []
        self._held_bytes = 0
        self._held_since = 0
        self._ready: deque[Sealed] = deque()
        self._succession = Succession(0)
        self._astray = False
        self._silences = 0
        self._failures = 0
        self._not_before = 0
        self._logger = _log.bind(topic=self.topic, partition=self.number)

    @property
    def opened(self) -> bool:
        return self._chain is not None

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self._held_bytes + sum(len(sealed.body) for sealed in self._ready)

    @property
    def full(self) -> bool:
        return self._world.bounds.reached(len(self._held), self.size, 0)

    @property
    def _lost(self) -> bool:
        """Nobody knows where in the log this is: it jumped, or something is odd about it."""
        return self._astray or self._succession.jump is not None

    @property
    def due(self) -> bool:
        now = self._world.now()
        if self.halted or now < self._not_before:
            return False
        if self._chain is None or self._ready or self._lost:
            return True
        return self._world.bounds.reached(len(self._held), self._held_bytes, now - self._held_since)

    def take(self, records: Sequence[Record]) -> None:
        if self._chain is None:
            return
        taken = self._succession.take(records)
        if not self._held:
            self._held_since = self._world.now()
        self._held.extend(taken)
        self._held_bytes += sum(map(len, taken))
        self._silences = 0

    def look_around(self, topic_ids: Mapping[str, str], end: int) -> None:
        """Notice what no record tells: a recreated topic just as long as the old one, a consumer fallen silent."""
        if self._chain is None:
            return
        waiting = bool(self._held or self._ready) or self.paused
        self._silences = self._silences + 1 if end > self._succession.next and not waiting else 0
        if self._silences >= MOST_SILENCES or topic_ids.get(self.topic, self._chain.topic_id) != self._chain.topic_id:
            self._logger.warning("looking up the place anew", offset=self.position, silences=self._silences)
            self._astray = True

    def advance(self, topic_ids: Mapping[str, str]) -> None:
        """Do what is due. ``topic_ids`` were read after the last ``take``."""
        try:
            self._advance(topic_ids.get(self.topic))
            self._failures = 0
        except TransientError as error:
            self._failures += 1
            pause = min(LONGEST_PAUSE_MS, 100 * 2 ** min(self._failures, 10))
            self._not_before = self._world.now() + int(pause * random.uniform(0.5, 1))
            self._world.metrics.increment(RETRIES, operation="lake")
            self._logger.warning("waiting", offset=self.position, why=str(error))
        except Halted as error:
            self._forget()
            self.halted = True
            self._world.log.pause(self.partition)
            self._world.metrics.set(LAKE_HALTED, 1, topic=self.topic, partition=self.number)
            self._logger.error("halted", offset=self.position, why=str(error))

    def _advance(self, topic_id: str | None) -> None:
        if self._chain is None:
            self._open(topic_id)
            return
        if topic_id not in (None, self._chain.topic_id):
            # The records at hand may be of the old topic or of the new one: nothing can tell any more.
            self._logger.error("topic was recreated", offset=self.position, unwritten=len(self._held))
            self._open(topic_id)
            return
        if self._held and not self._ready:
            self._seal(self._chain)
        while self._ready:
            if not self._put(self._ready[0]):
                self._open(topic_id, known=self._ready[0].start)
                return
            self._ready.popleft()
        if self._lost:
            self._open(topic_id)

    def _open(self, topic_id: str | None, known: int | None = None) -> None:
        """Forget all that is not in the store, and go on from where the store ends."""
        self._forget()
        if topic_id is None:
            raise TransientError(f"topic {self.topic} does not exist")
        world, chain = self._world, Chain(self.topic, topic_id, self.number)
        hint = world.log.newest_object(self.partition) if known is None else known
        position, newest = chains.end(world.store, chain, hint)
        begin, end = world.log.bounds(self.partition)
        if world.log.topic_ids().get(self.topic) != topic_id:
            raise TransientError(f"topic {self.topic} is being recreated")
        while position < begin:
            self._put_gap(chain, position, begin)
            position, newest = chains.end(world.store, chain, position)
        if position > end:
            raise Halted(f"the lake ends at {position}, beyond the log's end {end}: Kafka lost records")
        world.log.seek(self.partition, position)
        if newest is not None:
            # A sink killed between its put and its commit leaves a lag that no later record may ever mend.
            world.log.commit(self.partition, position, newest)
        self._chain, self.position, self.paused = chain, position, False
        self._succession = Succession(position, known=self._succession.jump)
        self._astray, self._silences = False, 0
        self._logger.info("opened", offset=position, topic_id=topic_id)

    def _forget(self) -> None:
        self._chain, self._held, self._held_bytes = None, [], 0
        self._ready.clear()

    def _seal(self, chain: Chain) -> None:
        """Judge what is held, publish its dead letters, make its objects."""
        world, contract, records = self._world, self._contract, self._held
        verdicts = world.decoder.decode(contract.record, [record.value() for record in records])
        self._publish_dead_letters(chain, verdicts)
        batch = Batch(records, verdicts.schema_ids, {invalid.index for invalid in verdicts.invalid})
        ids = [None if i in batch.invalid else schema_id for i, schema_id in enumerate(batch.schema_ids)]
        start = self.position
        for span in spans(ids):
            sealed = objects.seal(chain, start, batch, span, (world.resolve, contract.schema))
            self._ready.append(sealed)
            start = sealed.end
        self._held, self._held_bytes = [], 0

    def _publish_dead_letters(self, chain: Chain, verdicts: Verdicts) -> None:
        if not verdicts.invalid:
            return
        world, limit = self._world, self._contract.limit
        at = {invalid.index: self._held[invalid.index] for invalid in verdicts.invalid}
        timestamps = [record.timestamp()[1] for record in at.values()]
        if not limit.allows(timestamps):
            raise Halted(f"{len(at)} more invalid records would pass the limit of dead letters a minute")
        now = world.now()
        letters = []
        for invalid in verdicts.invalid:
            record = at[invalid.index]
            where = dead_letter.Position(chain.topic, chain.topic_id, chain.partition, record.offset())
            letters.append(dead_letter.of_record(invalid.error, where, record.key(), record.value(), now))
        world.letters.publish(letters)
        limit.count(timestamps)
        for letter in letters:
            world.metrics.increment(DEAD_LETTERS_MADE, step="lake", topic=chain.topic, code=letter.error_class)

    def _put(self, sealed: Sealed) -> bool:
        """False when another sink (or an earlier try of ours whose answer was lost) had written it."""
        world, topic = self._world, self.topic
        began = world.now()
        if not world.store.put_if_absent(sealed.key, sealed.body, sealed.metadata):
            world.metrics.increment(LAKE_PUT_CONFLICTS, topic=topic)
            self._logger.info("lost a race", offset=sealed.start)
            return False
        self.position = sealed.end
        world.metrics.increment(LAKE_OBJECTS, topic=topic)
        world.metrics.increment(LAKE_RECORDS, sealed.records, topic=topic)
        world.metrics.increment(LAKE_BYTES, len(sealed.body), topic=topic)
        world.metrics.observe(LAKE_PUT, (world.now() - began) / 1000)
        report_processed(world.metrics, topic, self.number, sealed.appended, world.now())
        world.log.commit(self.partition, sealed.end, sealed.start)
        self._logger.info("stored", offset=sealed.end, records=sealed.records, bytes=len(sealed.body))
        return True

    def _put_gap(self, chain: Chain, start: int, end: int) -> None:
        sealed, world = objects.gap(chain, start, end, self._contract.schema), self._world
        if world.store.put_if_absent(sealed.key, sealed.body, sealed.metadata):
            world.metrics.increment(LAKE_GAP_OFFSETS, end - start, topic=chain.topic)
            self._logger.error("gap: records left the log before the lake read them", offset=start, end=end)
            world.log.commit(self.partition, end, start)
