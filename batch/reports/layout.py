"""Numbers -> what the templates draw: lengths in percent, SVG paths, tints. Pure."""

from collections.abc import Sequence
from math import ceil, log2, log10
from typing import Any

from batch.reports import formatting
from batch.reports.aggregates import STEPS
from batch.reports.build_day import Day, DayStats, WeekComparison
from batch.reports.metrics import METRICS, Metric, Unit
from batch.reports.quality import Group

_LABELS = ("Shown", "Opened", "Played", "Picture seen", "Played to the end")
_FULL = 1.0
"""A change by this much fills its half of the bar."""


def chart_data(day: Day) -> dict[str, Any]:
    """The variables of ``day.html`` for its charts."""
    past = day.before
    return {
        "tiles": tiles(day),
        "scale": scale(max([*day.now.viewers, *(past.viewers if past else ())], default=0)),
        "past_label": _past_label(day.now, past),
        "changes": changes(day.weeks),
        "most_hours": {
            name: max([getattr(hour, name) for each in (day.now, past) if each for hour in each.hours]) or 1
            for name in ("hours", "starts")
        },
        "funnel": steps(day.now),
        "lost_by_day": [
            (date, (cell["loss_rate"] if cell else None) or 0.0)
            for date, cell in zip(day.days, day.overall.cells, strict=True)
        ],
        "losses": losses(day.quality["version"]),
        "legend": LEGEND,
    }


LEGEND = "Where this week's views ended: in the first, second, third or fourth quarter of the title, or finished."


def tiles(day: Day) -> list[dict[str, str]]:
    """The day's metrics, each with its value a week before."""
    now, past = day.now, day.before if day.over else None
    by_name = {metric.name: metric for metric in METRICS}
    found = [_tile(by_name[name], day, past) for name in ("starts", "hours")]
    peak, peak_before = (each.peak.viewers if each and each.peak else None for each in (now, past))
    found.append(
        {
            "label": "Viewers at once",
            "meaning": "The most concurrent sessions in any minute of the day.",
            "value": formatting.format_value(peak, "count"),
            **_aside("count", "more", peak, peak_before, past),
        }
    )
    quality = ("startup", "rebuffer_ratio", "exit_rate", "failure_rate", "loss_rate")
    return found + [_tile(by_name[name], day, past) for name in quality]


def _tile(metric: Metric, day: Day, past: DayStats | None) -> dict[str, str]:
    value, before = day.now.metrics[metric.name], past.metrics[metric.name] if past else None
    return {
        "label": metric.label,
        "meaning": metric.meaning,
        "value": formatting.format_value(value, metric.unit),
        **_aside(metric.unit, metric.better, value, before, past),
    }


def _aside(unit: Unit, better: str, now: float | None, before: float | None, past: DayStats | None) -> dict[str, str]:
    if past is None:
        return {"aside": "", "kind": ""}
    kind = judged(better, now, before)
    arrow = "" if not kind or now is None or before is None else "▲ " if now > before else "▼ "
    return {"aside": f"{arrow}from {formatting.format_value(before, unit)}", "kind": kind}


def judged(better: str, now: float | None, before: float | None) -> str:
    """``good`` or ``bad`` for a change of at least a tenth, else empty."""
    if not now or not before or abs(now / before - 1) < 0.1:
        return ""
    return "good" if (now > before) == (better == "more") else "bad"


def changes(weeks: WeekComparison) -> list[dict[str, Any]]:
    """Each metric of the week and of the week before."""
    found = []
    for metric in METRICS:
        now, before = weeks.this[metric.name], weeks.before[metric.name]
        by = now / before - 1 if now is not None and before else None
        found.append(
            {
                "label": metric.label,
                "meaning": metric.meaning,
                "now": formatting.format_value(now, metric.unit),
                "before": formatting.format_value(before, metric.unit),
                "by": formatting.UNKNOWN if by is None else f"{100 * by:+.0f} %",
                "up": (by or 0) > 0,
                "width": round(50 * min(abs(by or 0), _FULL) / _FULL, 1),
                "kind": judged(metric.better, now, before),
            }
        )
    return found


def steps(day: DayStats) -> list[dict[str, Any]]:
    """Bars are shares of the opened titles. Far more are shown than opened, so that step has a full bar."""
    counts = [day.funnel[step] for step in STEPS]
    opened = counts[1] or 1
    found = []
    for n, (step, label) in enumerate(zip(STEPS, _LABELS, strict=True)):
        of_before = counts[n] / counts[n - 1] if n and counts[n - 1] else None
        found.append(
            {
                "label": label,
                "count": counts[n],
                "members": day.funnel[f"{step}_members"],
                "width": round(min(100.0, 100 * counts[n] / opened), 1) if n else 100,
                "kind": "" if n else "shown",
                "lost": f"{formatting.percent(of_before)} of the step above" if of_before is not None else "",
            }
        )
    return found


def losses(groups: Sequence[Group]) -> list[Group]:
    """The groups that lost events, the highest loss rate first; those with few views last."""
    losing = [group for group in groups if group.metrics["loss_rate"]]
    return sorted(losing, key=lambda group: (group.has_few_views, -(group.metrics["loss_rate"] or 0)))


def scale(most: float) -> list[int]:
    """Three or four round numbers for an axis from 0 to just above ``most``."""
    step = max(1, ceil(most / 3))
    size = 10 ** int(log10(step))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= step)
    return [step * n for n in range(max(2, ceil(most / step) + 1))]


def line(values: Sequence[float], most: float) -> str:
    """An SVG path over a box of width ``len(values)`` and height 100; ``most`` is its upper edge."""
    return "M" + "L".join(f"{n},{100 - 100 * value / most:.1f}" for n, value in enumerate(values))


def area(values: Sequence[float], most: float) -> str:
    return f"{line(values, most)}L{len(values) - 1},100L0,100Z"


def tint(value: float, average: float | None) -> float:
    """The distance from the average, from -1 (a third or less) to 1 (three times or more)."""
    if not average:
        return 0.0
    return max(-1.0, min(1.0, log2(value / average) / log2(3))) if value else -1.0


def short(value: float, unit: Unit) -> str:
    """At most four characters, for a cell, without the unit."""
    if unit == "share":
        value *= 100
    return f"{value:.{0 if value >= 100 or not value else 1 if value >= 10 else 2}f}"


def _past_label(now: DayStats, past: DayStats | None) -> dict[str, int] | None:
    """The slot in which the line of the week before is furthest above the day's."""
    if past is None:
        return None
    slot = max(range(len(past.viewers)), key=lambda n: past.viewers[n] - now.viewers[n])
    return {"slot": slot, "viewers": past.viewers[slot]}
