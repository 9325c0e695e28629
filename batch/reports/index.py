"""Published days -> what the index page shows, with the gaps between them. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from statistics import median
from typing import Any

from batch.reports import formatting
from batch.reports.metrics import QUALITY

SHOWN_DAYS = 91
"""As many as fit into the chart; the table shows all days."""
ONE = timedelta(days=1)
Summary = Mapping[str, Any]


def index_context(published: Mapping[date, Summary]) -> dict[str, Any]:
    """The variables of ``index.html``."""
    days = sorted(published, reverse=True)
    if not days:
        return {"days": [], "headline": "No day is published yet: `playhead job dashboards` makes the first ones."}
    shown = [
        {"day": days[0] - n * ONE, "summary": published.get(days[0] - n * ONE)}
        for n in range(min(SHOWN_DAYS, (days[0] - days[-1]).days + 1))
    ]
    return {
        "days": [{"day": day} for day in days],
        "headline": headline(published),
        "shown": shown[::-1],
        "rows": list(_rows(published)),
        "most": {band: max((published[day][band] or 0 for day in days), default=0) or 1 for band in ("hours", "peak")},
        "medians": {metric.name: _median(published, metric.name) for metric in QUALITY},
    }


def headline(published: Mapping[date, Summary]) -> str:
    """Names the complete day with the most hours watched."""
    whole = {day: summary for day, summary in published.items() if summary["over"] and summary["hours"]}
    if not whole:
        return "No complete day with views is published yet."
    best = max(whole, key=lambda day: whole[day]["hours"])
    hours, peak = formatting.hours(whole[best]["hours"]), formatting.number(whole[best]["peak"])
    return f"The most was watched on {formatting.day_long(best)}: {hours} hours, with at most {peak} at once."


def _rows(published: Mapping[date, Summary]) -> Iterator[dict[str, Any]]:
    """Newest first. Consecutive days that are not published are one row."""
    newer = None
    for day in sorted(published, reverse=True):
        if newer and newer - day > ONE:
            yield {"summary": None, "first": day + ONE, "last": newer - ONE}
        yield {"day": day, "summary": published[day]}
        newer = day


def _median(published: Mapping[date, Summary], name: str) -> float | None:
    known = [summary[name] for summary in published.values() if summary[name] is not None]
    return median(known) if known else None
