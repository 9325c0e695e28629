"""``playhead evaluate``: which recommender is best, on MovieLens 100k and on the simulator's own viewing.

Exit codes: 0 done, 1 this machine lacks something.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from rich.console import Console

    from batch.recommend.interactions import Interactions
    from batch.recommend.report import Section
    from batch.recommend.titles import Facts
    from infra.datasets import Datasets
    from infra.runtime.settings import Settings
    from producers.simulator.audience import Member

DAYS = 84
HOUR_MS = 60 * 60 * 1000
NOW = 1_790_000_000_000
"""The simulated weeks end here, so that every run plays the same ones."""
SEED = 1
FILE_WIDTH = 140
"""Columns, where no terminal says how many it has."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def evaluate(
    out: Annotated[
        Path | None, typer.Option("--out", help="The page; default reports/evaluation.html in the stack's folder.")
    ] = None,
) -> None:
    """Tune and test every recommender on rolling cuts in time; print tables, write a page with charts."""
    # imported here, so that `--help` is fast
    import logging
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from batch.page import Run, write_atomically
    from batch.recommend import movielens
    from batch.recommend.evaluation_page import render
    from batch.recommend.report import Report
    from batch.recommend.terminal import RANGES, show
    from infra.datasets import DatasetError, fetch
    from infra.local.program import StackError
    from infra.runtime.settings import ROOT, Settings

    settings, console, began = Settings(), Console(), time.monotonic()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    logging.getLogger("py4j").setLevel(logging.WARNING)
    checkpoints = TemporaryDirectory(prefix="playhead-evaluate-")
    try:
        datasets = fetch(settings.home / "datasets", lambda line: typer.echo(line, err=True))
        spark = _spark(settings, checkpoints.name)
    except (DatasetError, StackError) as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from None
    facts, sections = movielens.facts(datasets.films), []
    try:
        for name, table in (
            ("MovieLens 100k", movielens.interactions(datasets.ratings)),
            (f"Simulated viewing, {DAYS} days", simulated(datasets)),
        ):
            sections.append(_section(name, table, facts, spark))
            show(sections[-1], console)
    finally:
        spark.stop()
        checkpoints.cleanup()
    now = datetime.now(UTC)
    report = Report(sections, round(time.monotonic() - began, 1))
    page = out or settings.folder / "reports" / "evaluation.html"
    run = Run(id=f"{now:%Y%m%dT%H%M%SZ}", made_at=int(now.timestamp() * 1000))
    write_atomically(render(report, run, ROOT / "infra" / "assets" / "echarts.min.js"), page)
    console.print(f"{RANGES} {report.seconds:.0f} s; charts in {page}", soft_wrap=True)


def _section(name: str, table: "Interactions", facts: "Mapping[str, Facts]", spark: "SparkSession") -> "Section":
    """All windows of one data set, with a bar on a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from batch.recommend.candidates import competitors
    from batch.recommend.evaluation import evaluate
    from batch.recommend.report import section
    from batch.recommend.temporal_split import rolling

    plans, models = list(rolling(table)), competitors(table, facts, spark)
    columns = (TextColumn(name), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=_stderr(), transient=True) as progress:
        task = progress.add_task("", total=len(plans) * len(models))

        def step(description: str) -> None:
            progress.update(task, description=description, advance=1)

        return section(name, table, [evaluate(table, plan, models, step) for plan in plans])


def simulated(datasets: "Datasets") -> "Interactions":
    """``DAYS`` of evenings of all members, as the simulator's past mode plays them, without any engine."""
    import polars as pl

    from batch.recommend.views import SESSION_COLUMNS, interactions
    from infra.datasets import films
    from producers.simulator.audience import build_audience
    from producers.simulator.catalogue import join
    from producers.simulator.movielens import parse_films, parse_ratings

    titles = join(parse_films(datasets.films.read_text("utf-8")), films(datasets.movies))
    members = build_audience(parse_ratings(datasets.ratings.read_text("utf-8")), titles, 1_000, SEED)
    sessions = pl.DataFrame(_sessions(members), SESSION_COLUMNS, orient="row")
    return interactions(sessions, {title.title_id: title.runtime_ms for title in titles})


def _sessions(members: "Sequence[Member]") -> list[tuple[str, str, int, int, str]]:
    """Rows of ``SESSION_COLUMNS``: each session's last event tells all of it."""
    from producers.simulator.visits import Span, visits_of
    from schemas.events import Playback

    span = Span(NOW - DAYS * 24 * HOUR_MS, NOW, heartbeat_ms=24 * HOUR_MS)  # heartbeats would only be left out
    last = {
        event.playback_session_id: event
        for member in members
        for visit in visits_of(member, span, SEED)
        for event in visit.events
        if isinstance(event, Playback)
    }
    return [
        (event.profile_id or "", event.title_id, event.event_time, event.watched_ms, event.country)
        for event in last.values()
    ]


def _spark(settings: "Settings", checkpoints: str) -> "SparkSession":
    """A session of this machine's own, without connectors: ALS reads no storage."""
    from batch.session import Cluster, spark_session
    from infra.local import preflight

    preflight.require_java()
    cluster = Cluster(settings.spark_master, settings.spark_driver_memory, jars=settings.folder)
    spark = spark_session("evaluate", [], cluster, partitions=2)
    spark.sparkContext.setLogLevel("ERROR")
    spark.sparkContext.setCheckpointDir(checkpoints)
    return spark


def _stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


if __name__ == "__main__":
    app(prog_name="playhead evaluate")
