"""Aggregates -> metrics, with the formulas that the live pages use, too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from batch.reports.aggregates import STARTUPS
from domain.quality import formulas

Aggregates = Mapping[str, int]
"""``aggregates.aggregates`` of any days and groups."""
Unit = Literal["count", "hours", "seconds", "share", "an hour"]
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of any group of views."""

    name: str
    label: str
    unit: Unit
    better: Literal["more", "less"]
    of: Callable[[Aggregates], float | None]
    """None if the denominator is 0."""
    meaning: str
    """One sentence for readers of the page."""


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def startup_seconds(aggregates: Aggregates, of_all: float) -> float | None:
    """The percentile ``of_all`` (0 to 1) of the startup time."""
    found = formulas.startup_percentile([aggregates[name] for name in STARTUPS], of_all)
    return None if found is None else found / 1000


def _stalls_an_hour(aggregates: Aggregates) -> float | None:
    a_minute = formulas.rebuffer_frequency(aggregates["rebuffers"], aggregates["rebuffer_ms"], aggregates["watched_ms"])
    return None if a_minute is None else 60 * a_minute


VOLUME = (
    Metric("starts", "Starts", "count", "more", lambda s: s["starts"], "Views in which the first frame was seen."),
    Metric(
        *("hours", "Hours watched", "hours", "more"),
        lambda s: s["watched_ms"] / HOUR_MS,
        "Wall-clock time with the picture moving, without pauses and stalls.",
    ),
)
QUALITY = (
    Metric(
        *("startup", "Startup time", "seconds", "less"),
        lambda s: startup_seconds(s, 0.5),
        "Median time from pressing play to the first frame, without advertisements.",
    ),
    Metric(
        *("rebuffer_ratio", "Time stalled", "share", "less"),
        lambda s: formulas.rebuffer_ratio(s["rebuffer_ms"], s["watched_ms"]),
        "Time stalled as a share of time stalled or playing. Startup and seeking do not count as stalls.",
    ),
    Metric(
        *("rebuffer_frequency", "Stalls an hour", "an hour", "less"),
        _stalls_an_hour,
        "Stalls per hour of watching, including the time stalled.",
    ),
    Metric(
        *("exit_rate", "Exits before start", "share", "less"),
        lambda s: share(s["exits"], s["views"]),
        "Views that the member left before the first frame, without an error.",
    ),
    Metric(
        *("failure_rate", "Failures", "share", "less"),
        lambda s: share(s["failures"], s["views"]),
        "Views that an error ended, before or after the first frame.",
    ),
    Metric(
        *("loss_rate", "Events lost", "share", "less"),
        lambda s: share(s["events_sent"] - s["events"], s["events_sent"]),
        "Playback events that players sent and that never arrived.",
    ),
)
METRICS = (*VOLUME, *QUALITY)


def metrics_of(aggregates: Aggregates) -> dict[str, float | None]:
    """Every metric by name, and ``views``, the denominator of the shares."""
    return {"views": aggregates["views"], **{metric.name: metric.of(aggregates) for metric in METRICS}}
