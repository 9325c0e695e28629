"""Every metric of the product. Base units (seconds, bytes); no profile, session or title ever is a label.

``/metrics`` of each process shows the ones that it feeds. ``recorders.py`` feeds them; ``make reference`` makes
``docs/reference/metrics.md`` from this file.
"""

from prometheus_client import Counter, Gauge, Histogram

from domain.quality.figures import LABEL_SETS
from domain.quality.formulas import STARTUP_BOUNDS_MS
from infra.runtime.metrics.checkpointed import CheckpointedCounter, CheckpointedGauge, CheckpointedHistogram
from infra.runtime.metrics.counted_histogram import CountedHistogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DELAYS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400)
SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)

# Consuming, any worker. `process` is a name of domain.processes.PROCESSES.
CONSUMED = Counter("playhead_consumed_records", "Records taken from Kafka.", ["process", "topic"])
BATCH_RECORDS = Histogram("playhead_batch_records", "Records in one batch from Kafka.", ["process"], buckets=SIZES)
BATCH_SECONDS = Histogram(
    "playhead_batch_seconds",
    "Working on one batch until it was done, every repeat included.",
    ["process"],
    buckets=SECONDS,
)
PROCESSING_DELAY = CountedHistogram(
    "playhead_record_processing_delay_seconds",
    "From Kafka's append of a record until its worker was done with it: for history visible, for lake stored.",
    ["process"],
    buckets=DELAYS,
)
LAST_PROCESSED = Gauge(
    "playhead_last_record_processed_timestamp_seconds",
    "Kafka timestamp of the newest record that is done with.",
    ["process", "topic", "partition"],
)
LAG = Gauge(
    "kafka_consumergroup_lag",
    "Log end less committed position, in records, as the group's own worker sees it.",
    ["group", "topic", "partition"],
)
RETRIES = Counter(
    "playhead_retries", "Operations tried again because a backend was away or slow.", ["process", "operation"]
)
SKIPPED = Counter(
    "playhead_invalid_skipped", "Invalid records passed over by a consumer.", ["process", "topic", "code"]
)

# History.
HISTORY_RECORDS = Counter("playhead_live_vh_records", "Viewing records acknowledged by LiveVH.")
HISTORY_WRITE = Histogram("playhead_live_vh_write_seconds", "Writing one batch's records to LiveVH.", buckets=SECONDS)
EVENT_VISIBLE = Histogram(
    "playhead_event_visible_seconds",
    "From an event's time, by the corrected client clock, until LiveVH had it; the newest of each session and batch.",
    buckets=DELAYS,
)
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
LAKE_PUT_CONFLICTS = Counter("playhead_lake_put_conflicts", "Objects that another sink had put already.", ["topic"])
LAKE_GAP_OFFSETS = Counter("playhead_lake_gap_offsets", "Offsets that left Kafka before the lake read them.", ["topic"])
LAKE_HALTED = Gauge(
    "playhead_lake_halted", "1 while the partition stands still until somebody looks.", ["topic", "partition"]
)
DEAD_LETTERS = Counter("playhead_dead_letters", "Dead letters made.", ["step", "topic", "code"])

# The continuous ledger. `family` is the name of a topic's records.
LEDGER_DIFFERENCE = Gauge(
    "playhead_ledger_difference",
    "Records that Kafka and the lake do not both hold, nor a dead letter names, and that are overdue. Must be 0.",
    ["family"],
)
LEDGER_COMPARED = Counter("playhead_ledger_compared_records", "Records of Kafka compared with the lake's.", ["family"])
LEDGER_LAST_RUN = Gauge(
    "playhead_ledger_last_run_timestamp_seconds", "When the ledger last finished a run over every partition."
)

# Seen from beside, by the services: whoever stands still cannot tell of it.
GROUP_LAG = Gauge("playhead_group_lag_records", "Records that a consumer group has yet to commit.", ["group"])
GROUP_LAG_SECONDS = Gauge(
    "playhead_group_lag_seconds",
    "Age of the oldest record that a consumer group has yet to commit; at least, while the services are younger.",
    ["group"],
)
BACKEND_UP = Gauge("playhead_backend_up", "1 while the backend answers a real request.", ["backend"])

# Services.
SERVICES_LATENCY = Histogram(
    "playhead_services_request_seconds", "Request to the start of its answer.", ["route", "status"], buckets=SECONDS
)
READ_RETRIES = Counter(
    "playhead_history_read_retries",
    "Reads repeated because a compaction changed the history meanwhile.",
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

# Quality of experience, by the log's own clock. Each partition of Kafka is counted by itself and shown by whoever has
# it: `max by (partition, …)` bridges a hand-over, then `sum`. Three label sets, which are never crossed.
_QUALITY_PREFIX = {
    "device": "playhead_quality",
    "country": "playhead_quality_by_country",
    "title_class": "playhead_quality_by_title_class",
}
_QUALITY_COUNTERS = {
    "views": "Presses of play.",
    "starts": "Views whose first frame was seen; a second's are the starts per second (SPS).",
    "failures": "Views that a fatal error ended.",
    "exits_before_start": "Views that were left before the first frame, without a fatal error.",
    "playing_seconds": "Wall-clock time with the picture moving.",
    "rebuffers": "Stalls after the start.",
    "rebuffer_seconds": "Time in those stalls; the rebuffer ratio is rebuffer / (rebuffer + playing).",
    "settled_views": "Views that are over, and whose grace for late events has passed.",
    "settled_starts": "Those of them that started: what startup and smoothness scores are sums over.",
    "startup_score_points": "Sum of settled views' startup scores, 0 to 100 each.",
    "smoothness_score_points": "Sum of settled views' smoothness scores, 0 to 100 each.",
    "success_scored_views": "Settled views that have a success score: all but exits within a second.",
    "success_score_points": "Sum of those scores: 100 for a success, 50 for an exit before start, 0 for a failure.",
}
QUALITY_COUNTERS = {
    (label_set, figure): CheckpointedCounter(f"{_QUALITY_PREFIX[label_set]}_{figure}", documentation, labels)
    for label_set, labels in LABEL_SETS.items()
    for figure, documentation in _QUALITY_COUNTERS.items()
}
QUALITY_VIEWERS = {
    label_set: CheckpointedGauge(
        f"{_QUALITY_PREFIX[label_set]}_viewers",
        "Views at this moment: neither paused nor stalled for over 5 minutes nor silent for over 2.",
        labels,
    )
    for label_set, labels in LABEL_SETS.items()
}
QUALITY_STARTUP = CheckpointedHistogram(
    "playhead_quality_startup_seconds",
    "Play request to first frame.",
    LABEL_SETS["device"],
    [ms / 1000 for ms in STARTUP_BOUNDS_MS],
)
CLIENT_EVENTS_EXPECTED = CheckpointedCounter(
    "playhead_client_events_expected",
    "Events that settled views numbered: their highest sequence number, counted from 1.",
    LABEL_SETS["device"],
)
CLIENT_EVENTS_LOST = CheckpointedCounter(
    "playhead_client_events_lost",
    "Sequence numbers of settled views that never came: lost between player and collector.",
    LABEL_SETS["device"],
)
QUALITY_LATE = CheckpointedCounter(
    "playhead_quality_late_events", "Events whose view was settled already: history and lake have them.", ()
)
QUALITY_MISSED = CheckpointedCounter(
    "playhead_quality_missed_records", "Offsets that left Kafka before they were counted. Always 0 in good health.", ()
)
QUALITY_OPEN = CheckpointedGauge("playhead_quality_open_sessions", "Views that are not settled yet.", ())
QUALITY_CLOCK = CheckpointedGauge(
    "playhead_quality_clock_timestamp_seconds", "The log's clock: the latest time of receipt that was counted.", ()
)
QUALITY_STATE_BYTES = CheckpointedGauge(
    "playhead_quality_state_bytes", "Size of the partition's checkpoint. The worker refuses more than 8 MiB.", ()
)
QUALITY_CHECKPOINT = Histogram(
    "playhead_quality_checkpoint_seconds", "Storing one partition's checkpoint.", buckets=SECONDS
)
