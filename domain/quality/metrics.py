"""The metrics of quality of experience, each with its values in a partition's snapshot.

They are published as a checkpoint has them, never incremented: a worker that resumes from the checkpoint publishes the
very same values. Sums of increments would differ in the last digit, and Prometheus takes any decrease for a restart.
Times are log time. Each Kafka partition has its own series: take ``max by (partition, …)`` to bridge a hand-over, then
``sum``. The three label sets are never combined.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from domain.metrics import Counter, Gauge, Histogram, Metric
from domain.quality.figures import LABEL_SETS, POINT, Figures, Label
from domain.quality.formulas import STARTUP_BOUNDS_MS
from domain.quality.ports import QualitySnapshot

Values = Mapping[tuple[str, ...], Any]
"""By the labels after ``partition``. Of a histogram: (observations by bucket, their sum)."""
T = TypeVar("T")

_PREFIXES = {
    "device": "playhead_quality",
    "country": "playhead_quality_by_country",
    "title_class": "playhead_quality_by_title_class",
}
_FIGURES: Mapping[str, tuple[str, Callable[[Figures], float]]] = {
    "views": ("Presses of play.", lambda of: of.views),
    "starts": (
        "Views whose first frame was seen; a second's are the starts per second (SPS).",
        lambda of: of.starts,
    ),
    "failures": ("Views that a fatal error ended.", lambda of: of.failures),
    "exits_before_start": (
        "Views that were left before the first frame, without a fatal error.",
        lambda of: of.exits_before_start,
    ),
    "playing_seconds": ("Wall-clock time with the picture moving.", lambda of: of.playing_ms / 1000),
    "rebuffers": ("Stalls after the start.", lambda of: of.rebuffers),
    "rebuffer_seconds": (
        "Time in those stalls; the rebuffer ratio is rebuffer / (rebuffer + playing).",
        lambda of: of.rebuffer_ms / 1000,
    ),
    "settled_views": (
        "Views that are over and whose grace period for late events has passed.",
        lambda of: of.settled_views,
    ),
    "settled_starts": (
        "Settled views that started: startup and smoothness scores are summed over these.",
        lambda of: of.settled_starts,
    ),
    "startup_score_points": (
        "Sum of settled views' startup scores, 0 to 100 each.",
        lambda of: of.startup_score / POINT,
    ),
    "smoothness_score_points": (
        "Sum of settled views' smoothness scores, 0 to 100 each.",
        lambda of: of.smoothness_score / POINT,
    ),
    "success_scored_views": (
        "Settled views that have a success score: all but exits within a second.",
        lambda of: of.success_scored_views,
    ),
    "success_score_points": (
        "Sum of those scores: 100 for a success, 50 for an exit before start, 0 for a failure.",
        lambda of: of.success_score / POINT,
    ),
}


def _labels(label_set: str) -> tuple[str, ...]:
    return "partition", *LABEL_SETS[label_set]


def _of_set(label_set: str, values: Mapping[Label, T], value: Callable[[T], Any] = lambda same: same) -> Values:
    return {label[1:]: value(each) for label, each in values.items() if label[0] == label_set}


def _totals(label_set: str, value: Callable[[Figures], Any]) -> Callable[[QualitySnapshot], Values]:
    return lambda snapshot: _of_set(label_set, snapshot.totals, value)


def _viewers(label_set: str) -> Callable[[QualitySnapshot], Values]:
    return lambda snapshot: _of_set(label_set, snapshot.viewers)


def _one(value: Callable[[QualitySnapshot], float]) -> Callable[[QualitySnapshot], Values]:
    return lambda snapshot: {(): value(snapshot)}


_PARTITION = ("partition",)
METRICS: Mapping[Metric, Callable[[QualitySnapshot], Values]] = {
    **{
        Counter(f"{_PREFIXES[label_set]}_{name}", help_, _labels(label_set)): _totals(label_set, value)
        for label_set in LABEL_SETS
        for name, (help_, value) in _FIGURES.items()
    },
    **{
        Gauge(
            f"{_PREFIXES[label_set]}_viewers",
            "Current views: not paused, not stalled for over 5 minutes and not silent for over 2.",
            _labels(label_set),
        ): _viewers(label_set)
        for label_set in LABEL_SETS
    },
    Histogram(
        "playhead_quality_startup_seconds",
        "Play request to first frame.",
        _labels("device"),
        tuple(ms / 1000 for ms in STARTUP_BOUNDS_MS),
    ): _totals("device", lambda of: (of.startups, of.startup_ms / 1000)),
    Counter(
        "playhead_client_events_expected",
        "Events that settled views numbered: their highest sequence number, counted from 1.",
        _labels("device"),
    ): _totals("device", lambda of: of.events_expected),
    Counter(
        "playhead_client_events_lost",
        "Sequence numbers of settled views that were never received: lost between player and collector.",
        _labels("device"),
    ): _totals("device", lambda of: of.events_lost),
    Counter(
        "playhead_client_lossy_views",
        "Settled views that lost events.",
        _labels("device"),
    ): lambda snapshot: _of_set("device", {**dict.fromkeys(snapshot.totals, 0), **snapshot.lossy_views}),
    Counter(
        "playhead_quality_late_events",
        "Events whose view was settled already: history and lake have them.",
        _PARTITION,
    ): _one(lambda snapshot: snapshot.late),
    Counter(
        "playhead_quality_events_beyond_bound",
        "Events of views beyond the 1,000 that one profile may begin in an hour: history and lake have them.",
        _PARTITION,
    ): _one(lambda snapshot: snapshot.beyond),
    Counter(
        "playhead_quality_missed_records",
        "Offsets that expired in Kafka before they were counted. 0 in normal operation.",
        _PARTITION,
    ): _one(lambda snapshot: snapshot.missed),
    Gauge("playhead_quality_open_sessions", "Views that are not settled yet.", _PARTITION): _one(
        lambda snapshot: snapshot.open_sessions
    ),
    Gauge(
        "playhead_quality_clock_timestamp_seconds",
        "Log time: the latest time of receipt that was counted. In a quiet partition it follows the wall clock.",
        _PARTITION,
    ): _one(lambda snapshot: snapshot.log_time / 1000),
    Gauge(
        "playhead_quality_state_bytes",
        "Size of the partition's checkpoint. The worker refuses more than 8 MiB.",
        _PARTITION,
    ): _one(lambda snapshot: snapshot.state_bytes),
}
