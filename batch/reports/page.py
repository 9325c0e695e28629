"""A day, or the index of all published days -> one self-contained HTML file that opens anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from inspect import getmembers, isfunction
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from batch.reports import formatting, headlines, layout
from batch.reports.build_day import Day
from batch.reports.index import index_context
from batch.reports.metrics import METRICS, QUALITY

_HERE = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class Run:
    """The run that made the page."""

    id: str
    made_at: int
    """Milliseconds since the epoch."""
    snapshot: int | None = None
    """Of the playback table, from which the pages are made."""


def render_day(day: Day, run: Run, others: Sequence[date]) -> str:
    """``others``: all published days, in order."""
    sentences = {
        "viewers": headlines.viewers(day.now, day.before),
        "weeks": headlines.weeks(day.weeks),
        "hours": headlines.busiest_hour(day.now),
        "funnel": headlines.funnel(day.now.funnel),
        "top": headlines.top(day.titles) if day.titles else "",
        "abandoned": headlines.abandoned(day.abandoned),
        "loss": headlines.loss(day.quality["version"], day.overall),
        "crowded": headlines.crowded(day.crowded),
        "lake": headlines.lake(day.lake, day.data_until),
    }
    return _render(
        "day.html",
        run,
        day=day,
        summary=summary(day, run),
        headline=headlines.headline(day),
        headlines=sentences,
        before=max((other for other in others if other < day.now.day), default=None),
        after=min((other for other in others if other > day.now.day), default=None),
        quality=QUALITY,
        metrics=METRICS,
        heads=[f"{each:%-d}" for each in day.days],
        **layout.chart_data(day),
    )


def render_index(published: Mapping[date, Mapping[str, Any]], run: Run) -> str:
    return _render("index.html", run, quality=QUALITY, **index_context(published))


def summary(day: Day, run: Run) -> dict[str, Any]:
    """What the index shows of a day."""
    return {
        "day": day.now.day.isoformat(),
        "over": day.over,
        "run": run.id,
        "snapshot": run.snapshot,
        "members": day.now.members,
        "peak": day.now.peak.viewers if day.now.peak else 0,
        **day.now.metrics,
    }


def _render(template: str, run: Run, **shown: Any) -> str:
    return _pages().get_template(template).render(run=run, **shown)


@cache
def _pages() -> Environment:
    """Compiled once for all days."""
    pages = Environment(
        loader=FileSystemLoader(_HERE), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    drawn = (layout.line, layout.area, layout.tint, layout.short, headlines.outlier)
    pages.filters |= dict(getmembers(formatting, isfunction)) | {each.__name__: each for each in drawn}
    styles = (_HERE / "dashboards.css").read_text(encoding="utf-8")
    script = (_HERE / "dashboards.js").read_text(encoding="utf-8")
    pages.globals |= {"styles": Markup(styles), "script": Markup(script)}
    return pages
