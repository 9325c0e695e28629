"""Every metric of the product. Base units (seconds, bytes); no profile, session or title ever is a label.

``/metrics`` of each process shows the ones that it feeds. The adapters at the end turn these into the ports
that the packages declare.
"""

from contextlib import suppress

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)

# Consuming, any worker. `process` is a name of streams.pipeline.PROCESSES.
CONSUMED = Counter("playhead_consumed_records", "Records taken from Kafka.", ["process", "topic"])
BATCH_RECORDS = Histogram("playhead_batch_records", "Records in one batch from Kafka.", ["process"], buckets=SIZES)
LAST_PROCESSED = Gauge(
    "playhead_last_record_processed_timestamp_seconds",
    "Kafka timestamp of the newest record that is done with.",
    ["process", "topic", "partition"],
)
LAG = Gauge("kafka_consumergroup_lag", "Log end less committed position, in records.", ["group", "topic", "partition"])
RETRIES = Counter(
    "playhead_retries", "Operations tried again because an engine was away or slow.", ["process", "operation"]
)
SKIPPED = Counter(
    "playhead_invalid_skipped", "Invalid records passed over by a consumer.", ["process", "topic", "code"]
)

# History.
HISTORY_RECORDS = Counter("playhead_live_vh_records", "Viewing records acknowledged by LiveVH.")
HISTORY_WRITE = Histogram("playhead_live_vh_write_seconds", "Writing one batch's records to LiveVH.", buckets=SECONDS)
SESSION_CONFLICTS = Counter(
    "playhead_session_conflicts", "Events that claim a sequence number of their session which another one has."
)

# Collector.
COLLECTOR_REQUESTS = Counter("playhead_collector_requests", "HTTP requests to the collector.", ["status"])
COLLECTOR_EVENTS = Counter("playhead_collector_events", "Events by verdict.", ["family", "verdict"])
COLLECTOR_LATENCY = Histogram(
    "playhead_collector_request_seconds", "Request to answer, Kafka's part included.", buckets=SECONDS
)
COLLECTOR_DELIVERY = Histogram(
    "playhead_collector_delivery_seconds", "A request's messages given to Kafka until all are settled.", buckets=SECONDS
)
COLLECTOR_IN_FLIGHT = Gauge("playhead_collector_in_flight_bytes", "Bodies waiting for Kafka's acknowledgement.")

# Lake.
LAKE_OBJECTS = Counter("playhead_lake_objects", "Objects put into the lake.", ["topic"])
LAKE_RECORDS = Counter("playhead_lake_records", "Records inside those objects.", ["topic"])
LAKE_BYTES = Counter("playhead_lake_bytes", "Bytes of those objects.", ["topic"])
LAKE_PUT = Histogram("playhead_lake_put_seconds", "Putting one object.", buckets=SECONDS)
LAKE_LOST_RACES = Counter("playhead_lake_lost_races", "Objects that another sink had put already.", ["topic"])
LAKE_GAP_OFFSETS = Counter("playhead_lake_gap_offsets", "Offsets that left Kafka before the lake read them.", ["topic"])
LAKE_HALTED = Gauge(
    "playhead_lake_halted", "1 while the partition stands still until somebody looks.", ["topic", "partition"]
)
DEAD_LETTERS = Counter("playhead_dead_letters", "Dead letters made.", ["step", "topic", "code"])

# Services.
SERVICES_LATENCY = Histogram(
    "playhead_services_request_seconds", "Request to the start of its answer.", ["route", "status"], buckets=SECONDS
)
READS_AGAIN = Counter(
    "playhead_history_reads_again",
    "Reads that a compaction overtook: the metadata was read once more, for certain.",
    ["reason"],
)

# CompressedVH.
COMPACTIONS = Counter("playhead_compactions", "Compactions of one profile by outcome.", ["outcome"])
COMPACTED_RECORDS = Counter("playhead_compacted_records", "Viewing records that left LiveVH.")
COMPACTION_SECONDS = Histogram("playhead_compaction_seconds", "Compacting one profile.", buckets=SECONDS)
CHUNK_BYTES = Counter("playhead_chunk_bytes", "Bytes of chunks written, new and rewritten.")
UNREADABLE_CHUNKS = Counter(
    "playhead_unreadable_chunks", "Looks at a listed chunk that was missing, damaged or of a newer format."
)


class WorkerMetrics:
    """One worker's numbers; satisfies ``streams.ports.Metrics``."""

    def __init__(self, process: str, group: str) -> None:
        self._process = process
        self._group = group

    def taken(self, topic: str, events: int) -> None:
        CONSUMED.labels(self._process, topic).inc(events)
        BATCH_RECORDS.labels(self._process).observe(events)

    def processed(self, topic: str, partition: int, timestamp_ms: int) -> None:
        LAST_PROCESSED.labels(self._process, topic, partition).set(timestamp_ms / 1000)

    def lag(self, topic: str, partition: int, records: int) -> None:
        LAG.labels(self._group, topic, partition).set(records)

    def unassigned(self, topic: str, partition: int) -> None:
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

    def conflicts(self, count: int) -> None:
        SESSION_CONFLICTS.inc(count)


class CollectorMetrics:
    """Satisfies ``producers.ports.CollectorMetrics``."""

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
    """Satisfies ``streams.lake.ports.LakeMetrics``."""

    def stored(self, topic: str, records: int, size: int, seconds: float) -> None:
        LAKE_OBJECTS.labels(topic).inc()
        LAKE_RECORDS.labels(topic).inc(records)
        LAKE_BYTES.labels(topic).inc(size)
        LAKE_PUT.observe(seconds)

    def lost_race(self, topic: str) -> None:
        LAKE_LOST_RACES.labels(topic).inc()

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


class HistoryReads:
    """Satisfies ``streams.history.ports.ReadMetrics``."""

    def read_again(self, reason: str) -> None:
        READS_AGAIN.labels(reason).inc()

    def unreadable_chunk(self) -> None:
        UNREADABLE_CHUNKS.inc()


class CompactionMetrics(WorkerMetrics):
    """Satisfies ``streams.history.ports.CompactionMetrics``."""

    def compacted(self, outcome: str, records: int, seconds: float) -> None:
        COMPACTIONS.labels(outcome).inc()
        COMPACTED_RECORDS.inc(records)
        COMPACTION_SECONDS.observe(seconds)

    def wrote_chunk(self, size: int) -> None:
        CHUNK_BYTES.inc(size)

    def unreadable_chunk(self) -> None:
        UNREADABLE_CHUNKS.inc()


class ServicesMetrics(HistoryReads):
    """Satisfies ``services.ports.Requests``, and the history's ports for readers."""

    def answered(self, route: str, status: int, seconds: float) -> None:
        SERVICES_LATENCY.labels(route, status).observe(seconds)
