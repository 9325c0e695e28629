"""A report -> one self-contained HTML file: figures, charts' code and styles are all inside, so it opens anywhere."""

import os
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from batch.viewing_report import Report

_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class Run:
    """The run that made the page."""

    id: str
    made_at: int
    """Milliseconds since the epoch."""


def render(report: Report, run: Run, echarts: Path) -> str:
    """The page as HTML; ``echarts`` is the charts library, one minified file."""
    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters |= {"utc": _utc, "day": _day}
    return pages.get_template("viewing.html").render(
        report=report,
        run=run,
        data={"run": asdict(run), **asdict(report)},
        echarts=_verbatim(echarts),
        script=_verbatim(_TEMPLATES / "viewing.js"),
        styles=_verbatim(_TEMPLATES / "viewing.css"),
    )


def write_atomically(html: str, file: Path) -> None:
    """A reader sees the old page or the new one, never half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(html, encoding="utf-8")
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _verbatim(file: Path) -> Markup:
    """Our own file as it is, unescaped."""
    return Markup(file.read_text(encoding="utf-8"))


def _day(iso: str) -> str:
    return f"{date.fromisoformat(iso):%-d %b %Y}"


def _utc(millis: int) -> str:
    return f"{datetime.fromtimestamp(millis / 1000, UTC):%-d %b %Y, %H:%M} UTC"
