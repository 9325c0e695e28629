"""The lake sink: every record of every topic into the store, exactly once.

Each flush publishes dead letters and waits for Kafka's acknowledgement, puts the object if absent, and commits the
offset. It runs in one thread. A partition that waits does not block the others. Pausing partitions bounds memory.
"""

from collections.abc import Mapping

import structlog

from domain.lake.ports import PollResult
from domain.metrics import LAG, LAKE_HALTED
from schemas.errors import TransientError
from schemas.topics import Partition
from streams.lake_sink.partition import PartitionSink, SinkContext, TopicContract
from streams.lake_sink.states import Halted, Reading
from streams.progress import report_consumed, withdraw

BUFFER_BYTES = 128 * 2**20
"""Limit for the buffers of all partitions together. Above it, all of them are paused."""

REPORT_MS = 5_000

_log = structlog.get_logger(__name__)


class Sink:
    def __init__(self, contracts: Mapping[str, TopicContract], context: SinkContext) -> None:
        self._contracts = contracts
        self._context = context
        self._sinks: dict[Partition, PartitionSink] = {}
        self._reported_at = 0

    @property
    def opened(self) -> list[Partition]:
        return [partition for partition, sink in self._sinks.items() if isinstance(sink.state, Reading)]

    @property
    def halted(self) -> list[Partition]:
        return [partition for partition, sink in self._sinks.items() if isinstance(sink.state, Halted)]

    def step(self) -> None:
        """One poll, then all that is due."""
        self._apply(self._context.log.poll())
        self._advance([sink for sink in self._sinks.values() if sink.due])
        self._throttle()
        if self._context.now() - self._reported_at >= REPORT_MS:
            self._reported_at = self._context.now()
            self._report()

    def drain(self) -> None:
        """Write what is buffered, with one attempt each. What fails stays in Kafka, uncommitted."""
        self._advance([self._sinks[partition] for partition in self.opened])

    def _apply(self, polled: PollResult) -> None:
        for partition in polled.revoked:
            if self._sinks.pop(partition, None):
                withdraw(self._context.metrics, *partition)
                self._context.metrics.set(LAKE_HALTED, None, topic=partition[0], partition=partition[1])
        for partition in polled.assigned:
            self._sinks[partition] = PartitionSink(partition, self._contracts[partition[0]], self._context)
        for partition, records in polled.records.items():
            if partition in self._sinks:
                self._sinks[partition].take(records)
                report_consumed(self._context.metrics, partition[0], len(records))

    def _advance(self, due: list[PartitionSink]) -> None:
        if not due:
            return
        try:
            topic_ids = self._context.log.topic_ids()
        except TransientError as error:
            _log.warning("waiting", why=str(error))
            return
        for sink in due:
            sink.advance(topic_ids)

    def _throttle(self) -> None:
        crowded = sum(sink.size for sink in self._sinks.values()) >= BUFFER_BYTES
        for sink in self._sinks.values():
            sink.throttle(crowded)

    def _report(self) -> None:
        for topic, number in self.halted:
            _log.error("still halted", topic=topic, partition=number)
        try:
            ends, topic_ids = self._context.log.ends(), self._context.log.topic_ids()
        except TransientError as error:
            _log.warning("waiting", why=str(error))
            return
        for partition, sink in self._sinks.items():
            if partition in ends:
                sink.detect_stall(topic_ids, ends[partition])
                lag = max(0, ends[partition] - sink.position)
                self._context.metrics.set(LAG, lag, topic=partition[0], partition=partition[1])
