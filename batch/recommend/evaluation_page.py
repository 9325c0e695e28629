"""An evaluation -> one self-contained HTML file, in the look of the dashboards."""

from dataclasses import asdict
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from batch.page import Run
from batch.recommend.report import Report

_TEMPLATES = Path(__file__).parents[1] / "templates"


def render(report: Report, run: Run, echarts: Path) -> str:
    """The page as HTML; ``echarts`` is the charts library, one minified file."""
    pages = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    return pages.get_template("evaluation.html").render(
        report=report,
        run=run,
        data=[[asdict(board) for board in section.boards] for section in report.sections],
        echarts=Markup(echarts.read_text("utf-8")),
        script=Markup((_TEMPLATES / "evaluation.js").read_text("utf-8")),
        styles=Markup((_TEMPLATES / "report.css").read_text("utf-8")),
    )
