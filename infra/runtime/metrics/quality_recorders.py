"""What fills the metrics of quality of experience: a partition's figures, as its checkpoint has them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from domain.quality.figures import POINT, Figures, Label
from domain.quality.ports import QualitySnapshot
from infra.runtime.metrics.checkpointed import Checkpointed, Labels
from infra.runtime.metrics.definitions import (
    CLIENT_EVENTS_EXPECTED,
    CLIENT_EVENTS_LOST,
    QUALITY_CHECKPOINT,
    QUALITY_CLOCK,
    QUALITY_COUNTERS,
    QUALITY_LATE,
    QUALITY_MISSED,
    QUALITY_OPEN,
    QUALITY_STARTUP,
    QUALITY_STATE_BYTES,
    QUALITY_VIEWERS,
)
from infra.runtime.metrics.recorders import WorkerMetrics

Value = TypeVar("Value")
_VALUES: Mapping[str, Callable[[Figures], float]] = {
    "views": lambda of: of.views,
    "starts": lambda of: of.starts,
    "failures": lambda of: of.failures,
    "exits_before_start": lambda of: of.exits_before_start,
    "playing_seconds": lambda of: of.playing_ms / 1000,
    "rebuffers": lambda of: of.rebuffers,
    "rebuffer_seconds": lambda of: of.rebuffer_ms / 1000,
    "settled_views": lambda of: of.settled_views,
    "settled_starts": lambda of: of.settled_starts,
    "startup_score_points": lambda of: of.startup_score / POINT,
    "smoothness_score_points": lambda of: of.smoothness_score / POINT,
    "success_scored_views": lambda of: of.success_scored_views,
    "success_score_points": lambda of: of.success_score / POINT,
}


class QualityRecorder(WorkerMetrics):
    """Satisfies ``domain.quality.ports.QualityMetrics``."""

    def publish(self, partition: int, shown: QualitySnapshot) -> None:
        for (label_set, figure), counter in QUALITY_COUNTERS.items():
            value = _VALUES[figure]
            counter.publish(partition, _of_set(label_set, {at: value(of) for at, of in shown.totals.items()}))
        for label_set, gauge in QUALITY_VIEWERS.items():
            gauge.publish(partition, _of_set(label_set, shown.viewers))
        devices = _of_set("device", shown.totals)
        QUALITY_STARTUP.publish(partition, {at: (of.startups, of.startup_ms / 1000) for at, of in devices.items()})
        CLIENT_EVENTS_EXPECTED.publish(partition, {at: of.events_expected for at, of in devices.items()})
        CLIENT_EVENTS_LOST.publish(partition, {at: of.events_lost for at, of in devices.items()})
        QUALITY_LATE.publish(partition, {(): shown.late})
        QUALITY_MISSED.publish(partition, {(): shown.missed})
        QUALITY_OPEN.publish(partition, {(): shown.open_sessions})
        QUALITY_CLOCK.publish(partition, {(): shown.log_time / 1000})
        QUALITY_STATE_BYTES.publish(partition, {(): shown.state_bytes})

    def withdraw(self, partition: int) -> None:
        for metric in _ALL:
            metric.withdraw(partition)

    def saved(self, seconds: float) -> None:
        QUALITY_CHECKPOINT.observe(seconds)


_ALL: tuple[Checkpointed[Any], ...] = (
    *QUALITY_COUNTERS.values(),
    *QUALITY_VIEWERS.values(),
    *(CLIENT_EVENTS_EXPECTED, CLIENT_EVENTS_LOST, QUALITY_LATE, QUALITY_MISSED, QUALITY_OPEN),
    *(QUALITY_CLOCK, QUALITY_STATE_BYTES, QUALITY_STARTUP),
)


def _of_set(label_set: str, values: Mapping[Label, Value]) -> dict[Labels, Value]:
    return {label[1:]: value for label, value in values.items() if label[0] == label_set}
