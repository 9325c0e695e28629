"""Faust's aiokafka driver, changed to hand over batches of raw records instead of single messages.

Stock Faust runs four asyncio tasks per message; here a partition's fetched records are ONE message, whose value is a
``RawBatch`` and whose offset is the batch's last: ten to twenty times the events per core. It also avoids a fault of
the stock driver (faust-streaming #606), which with manual acknowledgement can commit past a message that is still being
processed.

The methods overridden are private to pinned versions of faust-streaming and aiokafka. The kill and rebalance tests
hold the promise that an offset is committed only after everything before it was acknowledged.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

from streams.runtime.batches import RawBatch

MAX_RECORDS = 5_000
"""Records of one fetch, over all partitions."""
MAX_BATCHES = 2
"""Unacknowledged batches of one partition at which its intake pauses. One being written and one waiting is enough: more
would queue small batches behind a slow store, while records left in Kafka come as one large batch (fewer writes)."""
MAX_BYTES = 16 * 2**20
"""The same limit in payload bytes."""
POLL_S = 1.0
POLL_WHILE_PAUSED_S = 0.05
FETCH_MIN_BYTES = 2**20
"""More than arrives in a quiet minute: the broker gathers until ``fetch_wait_ms`` is over, and a fetch costs both sides
the same whether it brings one record or a thousand. A backlog is answered at once."""

CommittableOffset = Callable[[int], int | None]
"""The next offset of a partition to read if the worker died now; None if nothing was stored yet."""


class InFlight:
    """One partition's batches between delivery and acknowledgement, oldest first.

    Batches are compared by identity: an acknowledgement of a batch from before a rebalance or a seek finds nothing
    here, even if a later delivery ends at the same offset.
    """

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self.committable: int | None = None
        """Next offset to read, if all that was acknowledged without a gap is committed."""

    def add(self, message: Message) -> None:
        self._messages.append(message)

    def settle(self) -> None:
        """After an acknowledgement: move past the complete prefix."""
        while self._messages and self._messages[0].acked:
            self.committable = self._messages.popleft().offset + 1

    @property
    def has_room(self) -> bool:
        return len(self._messages) < MAX_BATCHES and sum(m.serialized_value_size for m in self._messages) < MAX_BYTES


class BatchConsumer(driver.Consumer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._in_flight: dict[TP, InFlight] = {}
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> "BatchConsumerThread":
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        """The fetcher's endless task."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._drain_once()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _drain_once(self) -> None:
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        active = set(self._get_active_partitions())
        ready = {tp for tp in active if self._of(tp).has_room}
        if not ready:  # asking for no partition would mean all of them
            await self.sleep(POLL_WHILE_PAUSED_S)
            return
        records = await self._getmany(ready, POLL_S if ready == active else POLL_WHILE_PAUSED_S)
        if not self.flow_active:
            await self._seek_back()
            return
        messages = [self._message(tp, batch) for tp, batch in records.items() if batch]
        # All of them are in flight before the first one is delivered: should a rebalance cut this loop short,
        # the rest blocks the partition's commits until the seek that follows every rebalance.
        for message in messages:
            self._of(message.tp).add(message)
        generation = self.app.consumer_generation_id
        for message in messages:
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            await self.wait_first(self.callback(message), self.suspend_flow.wait())

    async def _seek_back(self) -> None:
        """The flow was stopped while records came in: they are dropped and must be read again."""
        if self.should_stop:
            return
        try:
            await self.perform_seek()
        except KafkaError as error:  # partitions are gone meanwhile; Faust seeks after every rebalance
            self.log.warning("seek back: %r", error)

    def _message(self, tp: TP, records: Sequence[Any]) -> ConsumerMessage:
        last = records[-1]
        payloads = [record.value for record in records]
        size = sum(map(len, filter(None, payloads)))
        appended = Counter(record.timestamp for record in records)
        value = RawBatch(tp.topic, tp.partition, payloads, [record.offset for record in records], appended, size)
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            value,  # type: ignore[arg-type]  # Faust only passes it on
            None,
            0,
            size,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _of(self, tp: TP) -> InFlight:
        return self._in_flight.setdefault(tp, InFlight())

    # Committing: the acknowledged prefix, nothing else.

    def ack(self, message: Message) -> bool:
        message.acked = True
        self._unacked_messages.discard(message)
        self._of(message.tp).settle()
        return True

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._in_flight) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        committable = cast(BatchTransport, self.transport).committable_offset.get(tp.topic)
        return self._of(tp).committable if committable is None else committable(tp.partition)

    # After a rebalance or a seek, batches in flight are abandoned and delivered again.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super().on_partitions_revoked(revoked)
        self._abandon()

    async def perform_seek(self) -> None:
        await super().perform_seek()
        self._abandon()

    def _abandon(self) -> None:
        self._in_flight.clear()
        # Faust's own back-pressure list: a partition forgotten in there would never be read again.
        self._buffered_partitions.clear()

    async def verify_all_partitions_active(self) -> None:
        """Faust's detector takes a long retry for a hang. Committed lag is our liveness signal, see ``lag``."""

    async def lag(self) -> dict[TP, int]:
        """Log end less committed position, of every partition assigned now."""
        assigned = self.assignment()
        if not assigned:
            return {}
        ends = await self.highwaters(*assigned)
        starts = await self.earliest_offsets(*(tp for tp in assigned if self._committed_offset[tp] is None))
        return {tp: end - (self._committed_offset[tp] or starts.get(tp, 0)) for tp, end in ends.items()}


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes = FETCH_MIN_BYTES
        consumer._fetch_max_wait_ms = transport.fetch_wait_ms
        return consumer


class BatchTransport(driver.Transport):
    Consumer = BatchConsumer
    committable_offset: Mapping[str, CommittableOffset] = {}
    """By topic, where results are durable only from the next checkpoint on: replaces the acknowledged offset."""
    fetch_wait_ms = 100
    """How long the broker may gather before it answers a fetch. aiokafka keeps one fetch per broker in flight, so this
    is also the latency of a record: with Faust's default, 1,500 ms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The records as the parser made them; building a ConsumerRecord of each costs 8 to 18 % of the hot path.
        # For the whole process: no other aiokafka consumer runs in a worker.
        aiokafka_fetcher.PartitionRecords._consumer_record = lambda _self, _tp, record: record
