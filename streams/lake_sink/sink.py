"""The lake sink: every record of every topic into the store, exactly once.

Per flush: dead letters published and confirmed, object put if absent, offset committed. One thread; a partition
that has to wait holds up no other, and what waits in memory is bounded by pausing the intake.
"""

from collections.abc import Mapping

import structlog

from domain.lake.ports import Intake, Partition
from domain.metrics import LAG, LAKE_HALTED
from schemas.errors import TransientError
from streams.lake_sink.partition import Contract, PartitionSink, World
from streams.progress import report_consumed, withdraw

BUFFER_BYTES = 128 * 2**20
"""All partitions' buffers together; beyond it the intake pauses."""

REPORT_MS = 5_000

_log = structlog.get_logger(__name__)


class Sink:
    def __init__(self, contracts: Mapping[str, Contract], world: World) -> None:
        self._contracts = contracts
        self._world = world
        self._sinks: dict[Partition, PartitionSink] = {}
        self._reported_at = 0

    @property
    def opened(self) -> list[Partition]:
        return [partition for partition, sink in self._sinks.items() if sink.opened]

    @property
    def halted(self) -> list[Partition]:
        return [partition for partition, sink in self._sinks.items() if sink.halted]

    def step(self) -> None:
        """One poll and all that is due after it."""
        self._apply(self._world.log.poll())
        self._advance([sink for sink in self._sinks.values() if sink.due])
        self._throttle()
        if self._world.now() - self._reported_at >= REPORT_MS:
            self._reported_at = self._world.now()
            self._report()

    def drain(self) -> None:
        """Write what is buffered; one try each. What fails stays in Kafka, unwritten and uncommitted."""
        self._advance([self._sinks[partition] for partition in self.opened])

    def _apply(self, intake: Intake) -> None:
        for partition in intake.revoked:
            if self._sinks.pop(partition, None):
                withdraw(self._world.metrics, *partition)
                self._world.metrics.set(LAKE_HALTED, None, topic=partition[0], partition=partition[1])
        for partition in intake.assigned:
            self._sinks[partition] = PartitionSink(partition, self._contracts[partition[0]], self._world)
        for partition, records in intake.records.items():
            if partition in self._sinks:
                self._sinks[partition].take(records)
                report_consumed(self._world.metrics, partition[0], len(records))

    def _advance(self, due: list[PartitionSink]) -> None:
        if not due:
            return
        try:
            topic_ids = self._world.log.topic_ids()
        except TransientError as error:
            _log.warning("waiting", why=str(error))
            return
        for sink in due:
            sink.advance(topic_ids)

    def _throttle(self) -> None:
        crowded = sum(sink.size for sink in self._sinks.values()) >= BUFFER_BYTES
        for sink in self._sinks.values():
            wanted = crowded or sink.full
            if sink.opened and wanted != sink.paused:
                sink.paused = wanted
                (self._world.log.pause if wanted else self._world.log.resume)(sink.partition)

    def _report(self) -> None:
        for topic, number in self.halted:
            _log.error("still halted", topic=topic, partition=number)
        try:
            ends, topic_ids = self._world.log.ends(), self._world.log.topic_ids()
        except TransientError as error:
            _log.warning("waiting", why=str(error))
            return
        for partition, sink in self._sinks.items():
            if partition in ends:
                sink.look_around(topic_ids, ends[partition])
                lag = max(0, ends[partition] - sink.position)
                self._world.metrics.set(LAG, lag, topic=partition[0], partition=partition[1])
