"""A day, or all published days -> one self-contained HTML file: styles and figures are inside, so it opens anywhere."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from batch.page import Run
from batch.reports import formatting as wording
from batch.reports import headlines as findings
from batch.reports import layout
from batch.reports.build_day import Day
from batch.reports.history import index_of
from batch.reports.metrics import MEASURES, QUALITY

_HERE = Path(__file__).with_name("templates")
_LOOK = Path(__file__).parents[1] / "templates" / "report.css"


def render_day(day: Day, run: Run, others: Sequence[date]) -> str:
    """``others``: the days that are published beside it, in order."""
    sentences = {
        "viewers": findings.viewers(day.now, day.before),
        "weeks": findings.weeks(day.weeks),
        "hours": findings.busiest_hour(day.now),
        "funnel": findings.funnel(day.now.funnel),
        "top": findings.top(day.titles) if day.titles else "",
        "abandoned": findings.abandoned(day.abandoned),
        "loss": findings.loss(day.quality["version"], day.overall),
        "lake": findings.lake(day.lake, day.data_until),
    }
    return _render(
        "day.html",
        run,
        day=day,
        summary=summary(day, run),
        headline=findings.headline(day),
        findings=sentences,
        before=max((other for other in others if other < day.now.day), default=None),
        after=min((other for other in others if other > day.now.day), default=None),
        quality=QUALITY,
        measures=MEASURES,
        heads=[f"{each:%-d}" for each in day.days],
        **layout.of(day),
    )


def render_index(published: Mapping[date, Mapping[str, Any]], run: Run) -> str:
    return _render("index.html", run, quality=QUALITY, **index_of(published))


def summary(day: Day, run: Run) -> dict[str, Any]:
    """What the index says of a day."""
    return {
        "day": day.now.day.isoformat(),
        "over": day.over,
        "run": run.id,
        "members": day.now.members,
        "peak": day.now.peak.viewers if day.now.peak else 0,
        **day.now.figures,
    }


def _render(template: str, run: Run, **shown: Any) -> str:
    return _pages().get_template(template).render(run=run, **shown)


@cache
def _pages() -> Environment:
    """Compiled once, however many days are made."""
    pages = Environment(
        loader=FileSystemLoader(_HERE), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    words = (wording.number, wording.count, wording.percent, wording.hours, wording.said, wording.clock, wording.moment)
    days = (wording.day_short, wording.day_long, wording.weekday_short, wording.size)
    drawn = (layout.line, layout.area, layout.tint, layout.short, findings.stands_out)
    pages.filters |= {each.__name__: each for each in (*words, *days, *drawn)}
    styles = "\n".join(file.read_text(encoding="utf-8") for file in (_LOOK, _HERE / "dashboards.css"))
    script = (_HERE / "dashboards.js").read_text(encoding="utf-8")
    pages.globals |= {"styles": Markup(styles), "script": Markup(script)}
    return pages
