"""What members see, from the minutes that the quality worker counted: now, and over the last 15 minutes."""

from collections import Counter
from collections.abc import Iterable, Sequence

from domain.quality.figures import Figures, empty
from domain.quality.formulas import rebuffer_frequency, rebuffer_ratio, startup_percentile
from domain.quality.tally import MinuteFigures
from services.ops.document import AppExperience, Experience

MINUTES = 15
APPS_SHOWN = 8
WORSE = 1.5
"""Mark an app version whose failures, or slowest starts, are this many times everybody's."""
FEW = 3
"""Up to this many failures, or ten times as many starts, prove nothing."""


def experience(minutes: Sequence[MinuteFigures], now_minute: int) -> Experience:
    """``minutes``: of the label set "device", of the last ``MINUTES`` minutes and the one that is not over yet."""
    whole = _sum(one.figures for one in minutes)
    last_full = _sum(one.figures for one in minutes if one.minute == now_minute - 1)
    by_app: dict[tuple[str, str], list[Figures]] = {}
    for one in minutes:
        _, device_type, app_version = one.label
        by_app.setdefault((device_type, app_version), []).append(one.figures)
    apps = [_app(*app, _sum(parts), whole) for app, parts in by_app.items()]
    shown = sorted(apps, key=lambda app: (not app.fails_more, -app.views))[:APPS_SHOWN]
    return Experience(
        viewers=last_full.viewers,
        starts=last_full.starts,
        startup_p50_ms=startup_percentile(whole.startups, 0.5),
        startup_p95_ms=startup_percentile(whole.startups, 0.95),
        rebuffer_ratio=rebuffer_ratio(whole.rebuffer_ms, whole.playing_ms),
        rebuffer_frequency=rebuffer_frequency(whole.rebuffers, whole.rebuffer_ms, whole.playing_ms),
        views=whole.views,
        failures=whole.failures,
        apps=_worst_first(shown),
    )


def starts_a_minute(minutes: Sequence[MinuteFigures]) -> float | None:
    """Over minutes with figures; None without any."""
    starts = Counter[int]()
    for one in minutes:
        starts[one.minute] += one.figures.starts
    return starts.total() / len(starts) if starts else None


def _worst_first(apps: Sequence[AppExperience]) -> list[AppExperience]:
    """Devices by their worst version; versions of one device together, the worst first."""

    def share(app: AppExperience) -> float:
        return app.failures / app.views if app.fails_more else 0.0

    worst = {
        app.device_type: max(share(other) for other in apps if other.device_type == app.device_type) for app in apps
    }
    return sorted(apps, key=lambda app: (-worst[app.device_type], app.device_type, -share(app), app.app_version))


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
