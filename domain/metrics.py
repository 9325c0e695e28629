"""Every metric of the product but those of quality of experience, which are in ``domain.quality.metrics``.

Base units (seconds, bytes). No label is ever a profile, session or title. ``/metrics`` of each process shows the ones
that it feeds. The adapter adds the labels ``process`` and ``group``: callers never pass them.
"""

from dataclasses import dataclass
from typing import Protocol

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DELAYS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400)
SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)


@dataclass(frozen=True, eq=False)
class Metric:
    name: str
    help: str
    labels: tuple[str, ...] = ()


class Counter(Metric):
    """Exposed with the suffix ``_total``."""


class Gauge(Metric):
    pass


@dataclass(frozen=True, eq=False)
class Histogram(Metric):
    buckets: tuple[float, ...] = SECONDS


class Metrics(Protocol):
    """Labels are passed by name. A wrong or missing label is a ValueError."""

    def increment(self, counter: Counter, amount: float = 1, **labels: str | int) -> None: ...

    def set(self, gauge: Gauge, value: float | None, **labels: str | int) -> None:
        """None removes the series, or makes it NaN where the gauge has no labels: an unknown value must not look like
        the last known one."""
        ...

    def observe(self, histogram: Histogram, value: float, count: int = 1, **labels: str | int) -> None:
        """``count`` equal observations."""
        ...


# Consuming, any worker. `process` is a name of domain.processes.PROCESSES.
CONSUMED = Counter("playhead_consumed_records", "Records taken from Kafka.", ("process", "topic"))
BATCH_RECORDS = Histogram("playhead_batch_records", "Records in one batch from Kafka.", ("process",), SIZES)
BATCH_SECONDS = Histogram("playhead_batch_seconds", "Time to finish one batch, retries included.", ("process",))
PROCESSING_DELAY = Histogram(
    "playhead_record_processing_delay_seconds",
    "From Kafka's append of a record until its worker finished it: visible for history, stored for lake.",
    ("process",),
    DELAYS,
)
LAST_PROCESSED = Gauge(
    "playhead_last_record_processed_timestamp_seconds",
    "Kafka timestamp of the newest finished record.",
    ("process", "topic", "partition"),
)
LAG = Gauge(
    "kafka_consumergroup_lag",
    "Log end minus committed position in records, as the group's own worker sees it.",
    ("group", "topic", "partition"),
)
RETRIES = Counter(
    "playhead_retries", "Operations retried because a backend was unavailable or slow.", ("process", "operation")
)
SKIPPED = Counter("playhead_invalid_skipped", "Invalid records that a consumer skipped.", ("process", "topic", "code"))

# History.
HISTORY_RECORDS = Counter("playhead_live_vh_records", "Viewing records acknowledged by LiveVH.")
HISTORY_WRITE = Histogram("playhead_live_vh_write_seconds", "Writing one batch's records to LiveVH.")
EVENT_VISIBLE = Histogram(
    "playhead_event_visible_seconds",
    "From an event's time, by the corrected client clock, until LiveVH had it; the newest of each session and batch.",
    buckets=DELAYS,
)
SESSION_CONFLICTS = Counter(
    "playhead_session_conflicts", "Events whose sequence number another event of their session has."
)

# Collector.
COLLECTOR_REQUESTS = Counter("playhead_collector_requests", "HTTP requests to the collector.", ("status",))
COLLECTOR_EVENTS = Counter("playhead_collector_events", "Events by verdict.", ("family", "verdict"))
COLLECTOR_WARNINGS = Counter(
    "playhead_collector_warnings",
    "Events that were stored, but that the client should send differently.",
    ("family", "code"),
)
COLLECTOR_REFUSED = Counter(
    "playhead_collector_refused_requests", "Requests of which nothing was accepted, by the reason.", ("code",)
)
COLLECTOR_LATENCY = Histogram("playhead_collector_request_seconds", "From a request to its reply, Kafka included.")
COLLECTOR_DELIVERY = Histogram(
    "playhead_collector_delivery_seconds", "From handing a request's messages to Kafka until all outcomes are known."
)
COLLECTOR_IN_FLIGHT = Gauge("playhead_collector_in_flight_bytes", "Bodies waiting for Kafka's acknowledgement.")

# CMCD: what players report by themselves. `player` and `version` are of a bounded set.
CMCD_LINES = Counter("playhead_cmcd_lines", "Lines of CMCD by what became of them.", ("player", "version", "verdict"))
CMCD_DEVIATIONS = Counter(
    "playhead_cmcd_deviations", "Deviations of CMCD lines from the standard.", ("player", "version", "code")
)
CMCD_MISSING = Counter(
    "playhead_cmcd_missing_lines",
    "Numbers of lines that a later line of their play passed over.",
    ("player", "version"),
)
CMCD_OUT_OF_ORDER = Counter(
    "playhead_cmcd_out_of_order_lines",
    "Missing lines that came after all. The others were lost.",
    ("player", "version"),
)

# Lake.
LAKE_OBJECTS = Counter("playhead_lake_objects", "Objects put into the lake.", ("topic",))
LAKE_RECORDS = Counter("playhead_lake_records", "Records inside those objects.", ("topic",))
LAKE_BYTES = Counter("playhead_lake_bytes", "Bytes of those objects.", ("topic",))
LAKE_PUT = Histogram("playhead_lake_put_seconds", "Putting one object.")
LAKE_PUT_CONFLICTS = Counter("playhead_lake_put_conflicts", "Objects that another sink had already put.", ("topic",))
LAKE_GAP_OFFSETS = Counter(
    "playhead_lake_gap_offsets", "Offsets that expired in Kafka before the lake read them.", ("topic",)
)
LAKE_HALTED = Gauge(
    "playhead_lake_halted", "1 while the partition is halted and waits for a person.", ("topic", "partition")
)
DEAD_LETTERS_MADE = Counter("playhead_dead_letters", "Dead letters made.", ("step", "topic", "code"))

# The continuous ledger. `family` is the name of a topic's records.
LEDGER_DIFFERENCE = Gauge(
    "playhead_ledger_difference",
    "Overdue records that are not in both Kafka and the lake and have no dead letter. Must be 0.",
    ("family",),
)
LEDGER_COMPARED = Counter("playhead_ledger_compared_records", "Records of Kafka compared with the lake's.", ("family",))
LEDGER_TITLES = Gauge(
    "playhead_ledger_differing_titles",
    "Titles whose newest record is not the same in bucket, Kafka and lake, and overdue. Must be 0.",
)
LEDGER_LAST_RUN = Gauge(
    "playhead_ledger_last_run_timestamp_seconds", "When the ledger last finished a run over every partition."
)

# Local copies of compacted topics, and of the catalogue of titles.
COPY_AGE = Gauge(
    "playhead_copy_age_seconds", "Since the process's copy of a topic last had all that was in Kafka.", ("topic",)
)

TITLES_AGE = Gauge("playhead_titles_age_seconds", "Since the process last read the catalogue of titles in S3.")

LEDGER_MISSING_SEQS = Gauge(
    "playhead_ledger_missing_seqs",
    "Records of a topic that were skipped between two that came, and have not come since. Must be 0.",
    ("topic",),
)

# Outboxes. `outbox` is the service whose it is.
OUTBOX_PUBLISHED = Counter("playhead_outbox_published_records", "Records published and marked.", ("topic",))
OUTBOX_WAITING = Gauge(
    "playhead_outbox_waiting_records", "Records of an outbox that are not published yet.", ("outbox",)
)
OUTBOX_OLDEST = Gauge(
    "playhead_outbox_oldest_seconds", "Age of the oldest record of an outbox that is not published yet.", ("outbox",)
)

# Measured by ops: a stuck worker cannot report its own lag.
GROUP_LAG = Gauge("playhead_group_lag_records", "Records that a consumer group has yet to commit.", ("group",))
GROUP_LAG_SECONDS = Gauge(
    "playhead_group_lag_seconds",
    "Age of the oldest record that a consumer group has yet to commit; a lower bound just after ops started.",
    ("group",),
)
BACKEND_UP = Gauge("playhead_backend_up", "1 while the backend answers a real request.", ("backend",))
BACKEND_WRITABLE = Gauge("playhead_backend_writable", "1 while the backend stores a small object.", ("backend",))

# The edge, which counts by itself: infra/local/templates/edge.js.
EDGE_REQUESTS = Counter(
    "playhead_edge_requests", "Requests to the edge, by class of status and state of the cache.", ("status", "cache")
)
EDGE_SENT_BYTES = Counter("playhead_edge_sent_bytes", "Bytes that the edge sent, by state of the cache.", ("cache",))
EDGE_ORIGIN_REQUESTS = Counter(
    "playhead_edge_origin_requests", "Requests of the edge to the bucket, by result: ok or error.", ("result",)
)

# The gateway, which counts by itself, too: infra/local/templates/gateway.js.
GATEWAY_REQUESTS = Counter(
    "playhead_gateway_requests",
    "Requests to the gateway, by the service behind it and the answer's status.",
    ("service", "status"),
)

# History API and ops.
HTTP_REQUEST_SECONDS = Histogram(
    "playhead_http_request_seconds", "From a request to the start of its answer.", ("route", "status")
)
HISTORY_READ_RETRIES = Counter(
    "playhead_history_read_retries",
    "Reads repeated because a compaction changed the history meanwhile.",
    ("reason",),
)

# Stream slots, at the start, the renewals and the end of plays.
SLOT_ANSWERS = Counter(
    "playhead_slot_answers",
    "What became of streams that asked for their slot; uncounted: the store did not answer, so they play.",
    ("asked", "verdict"),
)

# Accounts.
MAILS_SENT = Counter("playhead_mails", "Mails to members, by outcome: sent or refused.", ("outcome",))
SIGN_INS = Counter(
    "playhead_sign_ins",
    "Sign-ins by outcome: ok, wrong, or limited, which was refused before a password was looked at.",
    ("outcome",),
)

# Events that a service reports itself.
OWN_EVENTS = Counter("playhead_own_events", "Events of the service itself: published, or dropped.", ("outcome",))

# CompressedVH.
COMPACTIONS = Counter("playhead_compactions", "Compactions of one profile by outcome.", ("outcome",))
COMPACTED_RECORDS = Counter("playhead_compacted_records", "Viewing records that left LiveVH.")
COMPACTION_SECONDS = Histogram("playhead_compaction_seconds", "Compacting one profile.")
CHUNK_BYTES = Counter("playhead_chunk_bytes", "Bytes of chunks written, new and rewritten.")
UNREADABLE_CHUNKS = Counter(
    "playhead_unreadable_chunks", "Reads of a listed chunk that was missing, damaged or of a newer format."
)

# Quality of experience: the worker's own.
QUALITY_CHECKPOINT = Histogram("playhead_quality_checkpoint_seconds", "Storing one partition's checkpoint.")

ALL: tuple[Metric, ...] = tuple(value for value in globals().values() if isinstance(value, Metric))
