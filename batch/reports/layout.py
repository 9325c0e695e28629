"""Numbers -> what the templates draw: lengths in per cent, paths, tints. Pure."""

from collections.abc import Sequence
from math import ceil, log2, log10
from typing import Any

from batch.reports import formatting as wording
from batch.reports.build_day import Day, Side, Weeks
from batch.reports.funnel import STEPS
from batch.reports.metrics import MEASURES, Measure, Unit
from batch.reports.quality import Group

_LABELS = ("Shown", "Opened", "Played", "Picture seen", "Played to the end")
_FULL = 1.0
"""A change by so much fills its half of the bar."""


def of(day: Day) -> dict[str, Any]:
    """All that ``day.html`` draws beside the day itself."""
    past = day.before
    return {
        "tiles": tiles(day),
        "scale": scale(max([*day.now.viewers, *(past.viewers if past else ())], default=0)),
        "past_label": _past_label(day.now, past),
        "changes": changes(day.weeks),
        "most_hours": {
            name: max([getattr(hour, name) for side in (day.now, past) if side for hour in side.hours]) or 1
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


LEGEND = (
    "Where the views of this week that are over ended: in the first, second, third or fourth quarter, or after the end."
)


def tiles(day: Day) -> list[dict[str, str]]:
    """The day's figures, each beside the same weekday a week before."""
    now, past = day.now, day.before if day.over else None
    by_name = {measure.name: measure for measure in MEASURES}
    found = [_tile(by_name[name], day, past) for name in ("starts", "hours")]
    peak, peak_before = (side.peak.viewers if side and side.peak else None for side in (now, past))
    found.append(
        {
            "label": "Viewers at once",
            "meaning": "Sessions of which one minute says that somebody watches; the most of the day.",
            "value": wording.said(peak, "count"),
            **_aside("count", "more", peak, peak_before, past),
        }
    )
    quality = ("startup", "rebuffer_ratio", "exit_rate", "failure_rate", "loss_rate")
    return found + [_tile(by_name[name], day, past) for name in quality]


def _tile(measure: Measure, day: Day, past: Side | None) -> dict[str, str]:
    value, before = day.now.figures[measure.name], past.figures[measure.name] if past else None
    return {
        "label": measure.label,
        "meaning": measure.meaning,
        "value": wording.said(value, measure.unit),
        **_aside(measure.unit, measure.better, value, before, past),
    }


def _aside(unit: Unit, better: str, now: float | None, before: float | None, past: Side | None) -> dict[str, str]:
    if past is None:
        return {"aside": "", "kind": ""}
    kind = judged(better, now, before)
    arrow = "" if not kind or now is None or before is None else "▲ " if now > before else "▼ "
    return {"aside": f"{arrow}from {wording.said(before, unit)}", "kind": kind}


def judged(better: str, now: float | None, before: float | None) -> str:
    """``good`` or ``bad`` for a change of a tenth and more, else nothing."""
    if not now or not before or abs(now / before - 1) < 0.1:
        return ""
    return "good" if (now > before) == (better == "more") else "bad"


def changes(weeks: Weeks) -> list[dict[str, Any]]:
    """Each measure of the week beside the week before."""
    found = []
    for measure in MEASURES:
        now, before = weeks.this[measure.name], weeks.before[measure.name]
        by = now / before - 1 if now is not None and before else None
        found.append(
            {
                "label": measure.label,
                "meaning": measure.meaning,
                "now": wording.said(now, measure.unit),
                "before": wording.said(before, measure.unit),
                "by": wording.UNKNOWN if by is None else f"{100 * by:+.0f} %",
                "up": (by or 0) > 0,
                "width": round(50 * min(abs(by or 0), _FULL) / _FULL, 1),
                "kind": judged(measure.better, now, before),
            }
        )
    return found


def steps(side: Side) -> list[dict[str, Any]]:
    """Bars are shares of the opened titles; far more are shown than opened, so that step stands for itself."""
    counts = [side.funnel[step] for step in STEPS]
    opened = counts[1] or 1
    found = []
    for n, (step, label) in enumerate(zip(STEPS, _LABELS, strict=True)):
        of_before = counts[n] / counts[n - 1] if n and counts[n - 1] else None
        found.append(
            {
                "label": label,
                "count": counts[n],
                "members": side.funnel[f"{step}_members"],
                "width": round(min(100.0, 100 * counts[n] / opened), 1) if n else 100,
                "kind": "" if n else "shown",
                "lost": f"{wording.percent(of_before)} of the step above" if of_before is not None else "",
            }
        )
    return found


def losses(groups: Sequence[Group]) -> list[Group]:
    """The groups that lose the most events, by share; those with few views last."""
    losing = [group for group in groups if group.figures["loss_rate"]]
    return sorted(losing, key=lambda group: (group.few, -(group.figures["loss_rate"] or 0)))


def scale(most: float) -> list[int]:
    """The lines of an axis from 0 to just above ``most``: three or four, at round numbers."""
    step = max(1, ceil(most / 3))
    size = 10 ** int(log10(step))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= step)
    return [step * n for n in range(max(2, ceil(most / step) + 1))]


def line(values: Sequence[float], most: float) -> str:
    """An SVG path over a box as wide as there are values and 100 high; ``most`` is its upper edge."""
    return "M" + "L".join(f"{n},{100 - 100 * value / most:.1f}" for n, value in enumerate(values))


def area(values: Sequence[float], most: float) -> str:
    return f"{line(values, most)}L{len(values) - 1},100L0,100Z"


def tint(value: float, average: float | None) -> float:
    """How far from the average, -1 (far below) to 1 (far above): three times as much is as far as it goes."""
    if not average:
        return 0.0
    return max(-1.0, min(1.0, log2(value / average) / log2(3))) if value else -1.0


def short(value: float, unit: Unit) -> str:
    """At most four characters, for a cell; the unit is said beside the table."""
    if unit == "share":
        value *= 100
    return f"{value:.{0 if value >= 100 or not value else 1 if value >= 10 else 2}f}"


def _past_label(now: Side, past: Side | None) -> dict[str, int] | None:
    """Where the line of the week before is the furthest above the day's own."""
    if past is None:
        return None
    slot = max(range(len(past.viewers)), key=lambda n: past.viewers[n] - now.viewers[n])
    return {"slot": slot, "viewers": past.viewers[slot]}
