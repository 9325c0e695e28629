"""The formulas of quality of experience, following Mux's public definitions.

Live metrics, pages and Spark jobs share these functions. Durations are milliseconds, scores 0 to 100; None means that
there is nothing to divide by or to score. ``tests/golden/quality`` has worked examples for other languages.
"""

from collections.abc import Sequence
from math import exp, sqrt

FINAL_EVENTS = ("stopped", "ended")
VIEWING_STATES = ("starting", "playing", "seeking", "rebuffering")
LONG_STALL_MS = 5 * 60 * 1000
"""After a longer stall a session no longer counts as a viewer."""
SILENT_MS = 2 * 60 * 1000
"""Four missed heartbeats: a session that is silent for longer is not a current viewer."""
ACCIDENT_MS = 1000
"""An exit within this time is an accidental play."""
MOST_LOST = 100
"""Lost events that one view counts for: a client that numbers wrongly must not hide what others lose."""
STARTUP_BOUNDS_MS = (
    *(250, 500, 750, 1000, 1250, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000),
    *(10_000, 15_000, 20_000, 30_000, 60_000),
)
"""Inclusive upper bounds of the startup histogram's buckets; one more bucket is unbounded."""


def is_viewing(player_state: str, state_since_ms: int) -> bool:
    """Whether a player in this state counts among the concurrent viewers: not paused, not stalled for long."""
    return player_state in VIEWING_STATES and not (player_state == "rebuffering" and state_since_ms > LONG_STALL_MS)


def exited_before_start(event_type: str, startup_ms: int | None, failed: bool) -> bool:
    """Whether a view ended before its first frame without a fatal error (EBVS)."""
    return event_type in FINAL_EVENTS and startup_ms is None and not failed


def rebuffer_ratio(rebuffer_ms: float, playing_ms: float) -> float | None:
    """Share of the time after the start spent rebuffering, 0 to 1."""
    watching = rebuffer_ms + playing_ms
    return rebuffer_ms / watching if watching else None


def rebuffer_frequency(rebuffers: float, rebuffer_ms: float, playing_ms: float) -> float | None:
    """Stalls per minute of watching, stall time included."""
    watching = rebuffer_ms + playing_ms
    return rebuffers * 60_000 / watching if watching else None


def startup_score(startup_ms: float) -> float:
    return 800 / (8 + startup_ms / 1000)


def smoothness_score(rebuffers: int, rebuffer_ms: int, playing_ms: int) -> float:
    """For a view that started: the mean of a score for stall count and one for stall time."""
    share = rebuffer_ratio(rebuffer_ms, playing_ms) or 0.0
    return (100 / sqrt(1 + (rebuffers / 2) ** 2) + 100 * exp(-10 * share)) / 2


def success_score(started: bool, failed: bool, left_after_ms: int | None) -> int | None:
    """100 for a view that started, 50 for an exit before that, 0 for a failure at any time.

    ``left_after_ms``: from the press of play until the viewer left, None if unknown. Returns None for an exit within a
    second.
    """
    if failed:
        return 0
    if started:
        return 100
    return None if left_after_ms is not None and left_after_ms < ACCIDENT_MS else 50


def startup_bucket(startup_ms: int) -> int:
    """Index of the histogram's bucket, 0 for the fastest."""
    return next((n for n, bound in enumerate(STARTUP_BOUNDS_MS) if startup_ms <= bound), len(STARTUP_BOUNDS_MS))


def startup_percentile(counts: Sequence[int], share: float) -> float | None:
    """The startup time that ``share`` (0 to 1) of the views did not exceed, interpolated linearly within a bucket.

    Values above the last bound count as that bound, as in Prometheus. None without views.
    """
    rank, below = share * sum(counts), 0
    if not rank:
        return None
    lower = 0
    for count, bound in zip(counts, STARTUP_BOUNDS_MS, strict=False):
        if count and below + count >= rank:
            return lower + (bound - lower) * (rank - below) / count
        below, lower = below + count, bound
    return float(STARTUP_BOUNDS_MS[-1])
