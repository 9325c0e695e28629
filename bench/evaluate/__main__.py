"""``make evaluate``: tunes and tests every recommender on MovieLens 100k and on simulated viewing.

Prints Markdown tables and writes them to docs/benchmarks/recommendations.md.
"""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from pyspark.sql import SparkSession
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from batch.recommend.interactions import Interactions
from batch.recommend.titles import TitleMetadata
from batch.session import Cluster, spark_session
from bench.evaluate.candidates import candidates
from bench.evaluate.datasets import SIMULATED_DAYS, movielens, simulated, title_metadata
from bench.evaluate.evaluation import evaluate
from bench.evaluate.report import NOTES, section
from bench.evaluate.temporal_split import rolling
from infra.datasets import DatasetError, fetch
from infra.local import preflight
from infra.local.program import StackError
from infra.runtime.settings import ROOT, Settings

REPORT = ROOT / "docs" / "benchmarks" / "recommendations.md"
TITLE = """\
# Recommendations

`make evaluate` tunes every recommender on one window of time, tests it on the next, and writes this page.
"""


def main(
    out: Annotated[Path, typer.Option("--out", help="The Markdown file to write.")] = REPORT,
) -> None:
    """Tune and test every recommender on rolling splits in time. Exits 1 without Java or the data sets."""
    settings, began = Settings(), time.monotonic()
    logging.getLogger("py4j").setLevel(logging.WARNING)
    with TemporaryDirectory(prefix="playhead-evaluate-") as checkpoints:
        try:
            datasets = fetch(settings.home / "datasets", lambda line: typer.echo(line, err=True))
            spark = _spark(settings, checkpoints)
        except (DatasetError, StackError) as error:
            typer.secho(str(error), fg="red", err=True)
            raise typer.Exit(1) from None
        metadata = title_metadata(datasets.films)
        tables = {
            "MovieLens 100k": movielens(datasets.ratings),
            f"Simulated viewing, {SIMULATED_DAYS} days": simulated(datasets),
        }
        sections = [_section(name, table, metadata, spark) for name, table in tables.items()]
        spark.stop()
    text = "\n".join((TITLE, NOTES, "", *sections))
    print(text)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    typer.echo(f"{time.monotonic() - began:.0f} s; written to {out}", err=True)


def _section(name: str, table: Interactions, metadata: Mapping[str, TitleMetadata], spark: SparkSession) -> str:
    """Evaluates one data set, with a progress bar on a terminal."""
    splits, models = list(rolling(table)), candidates(table, metadata, spark)
    columns = (TextColumn(name), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(splits) * len(models))

        def step(description: str) -> None:
            progress.update(task, description=description, advance=1)

        return section(name, table, [evaluate(table, split, models, step) for split in splits])


def _spark(settings: Settings, checkpoints: str) -> SparkSession:
    """A local session without connectors: ALS reads no storage."""
    preflight.require_java()
    cluster = Cluster(settings.spark_master, settings.spark_driver_memory, jars=settings.folder)
    spark = spark_session("evaluate", [], cluster, partitions=2)
    spark.sparkContext.setLogLevel("ERROR")
    spark.sparkContext.setCheckpointDir(checkpoints)
    return spark


if __name__ == "__main__":
    typer.run(main)
