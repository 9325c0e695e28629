"""What fills the metrics: adapters between the ports that the packages declare and ``definitions.py``."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from infra.runtime.metrics.definitions import (
    BACKEND_UP,
    BATCH_RECORDS,
    BATCH_SECONDS,
    CHUNK_BYTES,
    COLLECTOR_DELIVERY,
    COLLECTOR_EVENTS,
    COLLECTOR_IN_FLIGHT,
    COLLECTOR_LATENCY,
    COLLECTOR_REQUESTS,
    COMPACTED_RECORDS,
    COMPACTION_SECONDS,
    COMPACTIONS,
    CONSUMED,
    DEAD_LETTERS,
    EVENT_VISIBLE,
    GROUP_LAG,
    GROUP_LAG_SECONDS,
    HISTORY_RECORDS,
    HISTORY_WRITE,
    LAG,
    LAKE_BYTES,
    LAKE_GAP_OFFSETS,
    LAKE_HALTED,
    LAKE_OBJECTS,
    LAKE_PUT,
    LAKE_PUT_CONFLICTS,
    LAKE_RECORDS,
    LAST_PROCESSED,
    LEDGER_COMPARED,
    LEDGER_DIFFERENCE,
    LEDGER_LAST_RUN,
    PROCESSING_DELAY,
    READ_RETRIES,
    RETRIES,
    SERVICES_LATENCY,
    SESSION_CONFLICTS,
    SKIPPED,
    UNREADABLE_CHUNKS,
)
from schemas.topics import TOPICS


class WorkerMetrics:
    """One worker's numbers; satisfies ``streams.ports.Metrics``."""

    def __init__(self, process: str, group: str, now: Callable[[], float] = time.time) -> None:
        """``now``: seconds since the epoch."""
        self._process = process
        self._group = group
        self._now = now

    def consumed(self, topic: str, events: int) -> None:
        CONSUMED.labels(self._process, topic).inc(events)
        BATCH_RECORDS.labels(self._process).observe(events)

    def batch_done(self, seconds: float) -> None:
        BATCH_SECONDS.labels(self._process).observe(seconds)

    def processed(self, topic: str, partition: int, appended: Mapping[int, int]) -> None:
        now, delay = self._now(), PROCESSING_DELAY.labels(self._process)
        for timestamp_ms, records in appended.items():
            delay.observe_many(max(0.0, now - timestamp_ms / 1000), records)
        LAST_PROCESSED.labels(self._process, topic, partition).set(max(appended) / 1000)

    def lag(self, topic: str, partition: int, records: int) -> None:
        LAG.labels(self._group, topic, partition).set(records)

    def revoked(self, topic: str, partition: int) -> None:
        for gauge, first in ((LAG, self._group), (LAST_PROCESSED, self._process)):
            with suppress(KeyError):  # it may never have been set
                gauge.remove(first, topic, partition)

    def retried(self, operation: str) -> None:
        RETRIES.labels(self._process, operation).inc()

    def skipped(self, topic: str, code: str) -> None:
        SKIPPED.labels(self._process, topic, code).inc()


class HistoryMetrics(WorkerMetrics):
    """Satisfies ``streams.ports.HistoryMetrics``."""

    def wrote(self, records: int, seconds: float) -> None:
        HISTORY_RECORDS.inc(records)
        HISTORY_WRITE.observe(seconds)

    def visible(self, event_times: Iterable[int]) -> None:
        now = self._now()
        for event_time in event_times:
            EVENT_VISIBLE.observe(max(0.0, now - event_time / 1000))

    def conflicts(self, count: int) -> None:
        SESSION_CONFLICTS.inc(count)


class CollectorMetrics:
    """Satisfies ``producers.ports.CollectorMetrics``."""

    def __init__(self) -> None:
        for status in (202, 500, 503):  # from 0 on: a series born with its value has no increase
            COLLECTOR_REQUESTS.labels(status)

    def answered(self, status: int, seconds: float) -> None:
        COLLECTOR_REQUESTS.labels(status).inc()
        COLLECTOR_LATENCY.observe(seconds)

    def judged(self, family: str, verdict: str, events: int) -> None:
        COLLECTOR_EVENTS.labels(family, verdict).inc(events)

    def dead_letter(self, topic: str | None, code: str) -> None:
        DEAD_LETTERS.labels("collector", topic or "unknown", code).inc()

    def delivered(self, seconds: float) -> None:
        COLLECTOR_DELIVERY.observe(seconds)

    def in_flight(self, bytes_: int) -> None:
        COLLECTOR_IN_FLIGHT.set(bytes_)


class LakeMetrics(WorkerMetrics):
    """Satisfies ``streams.lake_sink.ports.LakeMetrics``."""

    def stored(self, topic: str, records: int, size: int, seconds: float) -> None:
        LAKE_OBJECTS.labels(topic).inc()
        LAKE_RECORDS.labels(topic).inc(records)
        LAKE_BYTES.labels(topic).inc(size)
        LAKE_PUT.observe(seconds)

    def lost_race(self, topic: str) -> None:
        LAKE_PUT_CONFLICTS.labels(topic).inc()

    def gap(self, topic: str, offsets: int) -> None:
        LAKE_GAP_OFFSETS.labels(topic).inc(offsets)

    def dead_letter(self, topic: str, code: str) -> None:
        DEAD_LETTERS.labels("lake", topic, code).inc()

    def halted(self, topic: str, partition: int, halted: bool) -> None:
        LAKE_HALTED.labels(topic, partition).set(halted)

    def forget(self, topic: str, partition: int) -> None:
        for gauge, labels in (
            (LAG, (self._group, topic, partition)),
            (LAST_PROCESSED, (self._process, topic, partition)),
            (LAKE_HALTED, (topic, partition)),
        ):
            with suppress(KeyError):
                gauge.remove(*labels)


class LedgerMetrics(WorkerMetrics):
    """Satisfies ``domain.ledger.ports.LedgerMetrics``."""

    def compared(self, topic: str, records: int) -> None:
        LEDGER_COMPARED.labels(TOPICS[topic].record).inc(records)

    def differences(self, topic: str, records: int) -> None:
        LEDGER_DIFFERENCE.labels(TOPICS[topic].record).set(records)

    def looked(self) -> None:
        LEDGER_LAST_RUN.set_to_current_time()


class HistoryReads:
    """Satisfies ``domain.history.ports.ReadMetrics``."""

    def read_retried(self, reason: str) -> None:
        READ_RETRIES.labels(reason).inc()

    def unreadable_chunk(self) -> None:
        UNREADABLE_CHUNKS.inc()


class CompactionMetrics(WorkerMetrics):
    """Satisfies ``domain.history.ports.CompactionMetrics``."""

    def compacted(self, outcome: str, records: int, seconds: float) -> None:
        COMPACTIONS.labels(outcome).inc()
        COMPACTED_RECORDS.inc(records)
        COMPACTION_SECONDS.observe(seconds)

    def wrote_chunk(self, size: int) -> None:
        CHUNK_BYTES.inc(size)

    def unreadable_chunk(self) -> None:
        UNREADABLE_CHUNKS.inc()


class PipelineMetrics:
    """Satisfies ``services.ports.PipelineMetrics``."""

    def engine(self, name: str, up: bool) -> None:
        BACKEND_UP.labels(name).set(up)

    def behind(self, group: str, records: int, seconds: float) -> None:
        GROUP_LAG.labels(group).set(records)
        GROUP_LAG_SECONDS.labels(group).set(seconds)

    def lost_sight(self, group: str) -> None:
        for gauge in (GROUP_LAG, GROUP_LAG_SECONDS):
            with suppress(KeyError):
                gauge.remove(group)


class ServicesMetrics(HistoryReads):
    """Satisfies ``services.ports.Requests``, and the history's ports for readers."""

    def answered(self, route: str, status: int, seconds: float) -> None:
        SERVICES_LATENCY.labels(route, status).observe(seconds)
