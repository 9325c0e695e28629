"""What members see, from the minutes that the quality worker counted: now, and over the last quarter of an hour."""

from collections.abc import Iterable, Sequence

from services.dashboard.live import AppExperience, Experience
from streams.quality.figures import Figures, empty
from streams.quality.formulas import rebuffer_frequency, rebuffer_ratio, startup_percentile
from streams.quality.tally import MinuteFigures

MINUTES = 15
APPS_SHOWN = 8
WORSE = 1.5
"""An app version is marked whose failures, or whose slowest starts, are so many times everybody's."""
FEW = 3
"""So few failures say nothing, nor do the slowest of ten times as few starts."""


def experience(minutes: Sequence[MinuteFigures], now_minute: int) -> Experience:
    """``minutes``: of the label set "device", of the last ``MINUTES`` minutes and the one that is not over yet."""
    whole = _sum(one.figures for one in minutes)
    last_full = _sum(one.figures for one in minutes if one.minute == now_minute - 1)
    by_app: dict[tuple[str, str], list[Figures]] = {}
    for one in minutes:
        _, device_type, app_version = one.label
        by_app.setdefault((device_type, app_version), []).append(one.figures)
    apps = sorted(((app, _sum(parts)) for app, parts in by_app.items()), key=lambda app: -app[1].views)[:APPS_SHOWN]
    return Experience(
        viewers=last_full.viewers,
        starts=last_full.starts,
        startup_p50_ms=startup_percentile(whole.startups, 0.5),
        startup_p95_ms=startup_percentile(whole.startups, 0.95),
        rebuffer_ratio=rebuffer_ratio(whole.rebuffer_ms, whole.playing_ms),
        rebuffer_frequency=rebuffer_frequency(whole.rebuffers, whole.rebuffer_ms, whole.playing_ms),
        views=whole.views,
        failures=whole.failures,
        apps=[_app(*app, figures, whole) for app, figures in sorted(apps)],
    )


def _app(device_type: str, app_version: str, own: Figures, whole: Figures) -> AppExperience:
    slow, all_slow = startup_percentile(own.startups, 0.95), startup_percentile(whole.startups, 0.95)
    return AppExperience(
        device_type=device_type,
        app_version=app_version,
        views=own.views,
        failures=own.failures,
        fails_more=own.failures > FEW and own.failures * whole.views > WORSE * whole.failures * own.views,
        startup_p95_ms=slow,
        starts_slower=own.starts > 10 * FEW and (slow or 0) > WORSE * (all_slow or 0),
        rebuffer_ratio=rebuffer_ratio(own.rebuffer_ms, own.playing_ms),
    )


def _sum(parts: Iterable[Figures]) -> Figures:
    total = empty(("device",))
    for part in parts:
        total.add(part)
    return total
