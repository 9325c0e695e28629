"""Sums -> figures, by the one quality formula module. Plain Python: a figure is the same live, here and in a test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from batch.reports.aggregates import STARTUPS
from domain.quality import formulas

Sums = Mapping[str, int]
"""What ``sums`` counts, of any days and groups together."""
Unit = Literal["count", "hours", "seconds", "share", "an hour"]
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of any group of views."""

    name: str
    label: str
    unit: Unit
    better: Literal["more", "less"]
    of: Callable[[Sums], float | None]
    """None where there is nothing to divide by."""
    meaning: str
    """For a reader of the page, one sentence."""


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def startup_seconds(sums: Sums, of_all: float) -> float | None:
    """The startup time that this share of the starts kept."""
    found = formulas.startup_percentile([sums[name] for name in STARTUPS], of_all)
    return None if found is None else found / 1000


def _stalls_an_hour(sums: Sums) -> float | None:
    a_minute = formulas.rebuffer_frequency(sums["rebuffers"], sums["rebuffer_ms"], sums["watched_ms"])
    return None if a_minute is None else 60 * a_minute


VOLUME = (
    Measure("starts", "Starts", "count", "more", lambda s: s["starts"], "Views in which the first frame was seen."),
    Measure(
        *("hours", "Hours watched", "hours", "more"),
        lambda s: s["watched_ms"] / HOUR_MS,
        "Wall-clock time with the picture moving; pauses and stalls are left out.",
    ),
)
QUALITY = (
    Measure(
        *("startup", "Startup time", "seconds", "less"),
        lambda s: startup_seconds(s, 0.5),
        "Median time from pressing play to the first frame, advertisements left out.",
    ),
    Measure(
        *("rebuffer_ratio", "Time stalled", "share", "less"),
        lambda s: formulas.rebuffer_ratio(s["rebuffer_ms"], s["watched_ms"]),
        "Time stalled as a share of time stalled or playing; startup and seeking are no stalls.",
    ),
    Measure(
        *("rebuffer_frequency", "Stalls an hour", "an hour", "less"),
        _stalls_an_hour,
        "Stalls in an hour of watching, stalls included.",
    ),
    Measure(
        *("exit_rate", "Exits before start", "share", "less"),
        lambda s: share(s["exits"], s["views"]),
        "Presses of play that were left before the first frame, without an error.",
    ),
    Measure(
        *("failure_rate", "Failures", "share", "less"),
        lambda s: share(s["failures"], s["views"]),
        "Presses of play that an error ended, before or after the first frame.",
    ),
    Measure(
        *("loss_rate", "Events lost", "share", "less"),
        lambda s: share(s["events_sent"] - s["events"], s["events_sent"]),
        "Playback events that players numbered and that never arrived.",
    ),
)
MEASURES = (*VOLUME, *QUALITY)


def figures(sums: Sums) -> dict[str, float | None]:
    """Every measure by name, and ``views``: what the shares are of."""
    return {"views": sums["views"], **{measure.name: measure.of(sums) for measure in MEASURES}}
