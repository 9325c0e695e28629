"""Published days -> what the index shows, gaps between them included. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from statistics import median
from typing import Any

from batch.reports import formatting as wording
from batch.reports.metrics import QUALITY

SHOWN_DAYS = 91
"""As many as fit beside each other; the table has all."""
ONE = timedelta(days=1)
Summary = Mapping[str, Any]


def index_of(published: Mapping[date, Summary]) -> dict[str, Any]:
    """What ``index.html`` asks for."""
    days = sorted(published, reverse=True)
    if not days:
        return {"days": [], "finding": "No day is published yet: `playhead job dashboards` makes the first ones."}
    shown = [
        {"day": days[0] - n * ONE, "summary": published.get(days[0] - n * ONE)}
        for n in range(min(SHOWN_DAYS, (days[0] - days[-1]).days + 1))
    ]
    return {
        "days": [{"day": day} for day in days],
        "finding": finding(published),
        "shown": shown[::-1],
        "rows": list(_rows(published)),
        "most": {band: max((published[day][band] or 0 for day in days), default=0) or 1 for band in ("hours", "peak")},
        "medians": {measure.name: _median(published, measure.name) for measure in QUALITY},
    }


def finding(published: Mapping[date, Summary]) -> str:
    """Which of the whole days had the most watched."""
    whole = {day: summary for day, summary in published.items() if summary["over"] and summary["hours"]}
    if not whole:
        return "No whole day with viewing is published yet."
    best = max(whole, key=lambda day: whole[day]["hours"])
    said = f"{wording.hours(whole[best]['hours'])} hours"
    return f"The most was watched on {wording.day_long(best)}: {said}, with at most {whole[best]['peak']:,} at once."


def _rows(published: Mapping[date, Summary]) -> Iterator[dict[str, Any]]:
    """Newest first; days in between that are not published as one row."""
    newer = None
    for day in sorted(published, reverse=True):
        if newer and newer - day > ONE:
            yield {"summary": None, "first": day + ONE, "last": newer - ONE}
        yield {"day": day, "summary": published[day]}
        newer = day


def _median(published: Mapping[date, Summary], name: str) -> float | None:
    known = [summary[name] for summary in published.values() if summary[name] is not None]
    return median(known) if known else None
