"""Batch jobs from the command line: ``playhead job viewing``, or on any Spark cluster

    PYTHONPATH=. spark-submit --master … --jars "$(printf '%s,' <home>/packages/spark/*.jar)" batch/main.py viewing

Exit codes: 0 done, 1 this machine lacks something, 2 wrong arguments or settings, 3 the lake cannot be read,
4 the page cannot be written.
"""

import logging
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from batch.session import Cluster
    from batch.viewing_report import Period
    from infra.settings import Settings

DEFAULT_DAYS = 28

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Spark jobs.")
DAY = ["%Y-%m-%d"]


@app.callback()
def _jobs() -> None:
    """Spark jobs over the event lake."""


@app.command()
def viewing(
    date: Annotated[
        datetime | None, typer.Option("--date", formats=DAY, metavar="YYYY-MM-DD", help="Only this day (UTC).")
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=DAY, metavar="YYYY-MM-DD", help=f"First day; default {DEFAULT_DAYS} days up to the last."
        ),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=DAY, metavar="YYYY-MM-DD", help="Last day, included; default today."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The page; default reports/viewing.html in the stack's folder.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and compute, write nothing.")] = False,
) -> None:
    """Make the viewing report: starts, minutes and failures per title, hour, country and device, as one HTML page."""
    # imported here, so that `playhead --help` need not load Spark
    import structlog
    from pydantic import ValidationError

    from batch.lake import LakeError
    from batch.page import Run, render, write_atomically
    from batch.schema_guard import SchemaMismatch
    from batch.session import ObjectStoreAccess, spark_session
    from batch.viewing_job import ViewingJob
    from infra import logs
    from infra.local.program import StackError
    from infra.settings import ROOT, Settings

    now = datetime.now(UTC)
    period = _period(now, date, first, last)
    try:
        settings = Settings()
        cluster = _cluster(settings)
    except ValidationError as error:
        _fail(2, str(error))
    except StackError as error:
        _fail(1, str(error))

    logs.configure("viewing", settings.log_level)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    run = Run(id=f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}", made_at=int(now.timestamp() * 1000))
    log = structlog.get_logger("batch").bind(run=run.id)
    began = time.monotonic()

    def stage(name: str, rows: int) -> None:
        log.info(name, rows=rows, seconds=round(time.monotonic() - began, 1))

    store = ObjectStoreAccess(
        settings.s3, settings.s3_region, settings.s3_access_key, settings.s3_secret_key.get_secret_value()
    )
    spark = spark_session("viewing", store, cluster)
    try:
        timeout = timedelta(seconds=settings.session_timeout_seconds)
        report = ViewingJob(f"s3a://{settings.lake_bucket}", period, now, timeout).run(spark, stage)
    except (LakeError, SchemaMismatch) as error:
        _fail(3, str(error))
    finally:
        spark.stop()

    if dry_run:
        log.info("nothing written", reason="--dry-run")
        return
    page = out or settings.folder / "reports" / "viewing.html"
    try:
        write_atomically(render(report, run, ROOT / "infra" / "assets" / "echarts.min.js"), page)
    except OSError as error:
        _fail(4, f"{page} cannot be written: {error.strerror}")
    log.info("page written", file=str(page), bytes=page.stat().st_size, seconds=round(time.monotonic() - began, 1))


def _period(now: datetime, date: datetime | None, first: datetime | None, last: datetime | None) -> "Period":
    from batch.viewing_report import Period

    if date and (first or last):
        raise typer.BadParameter("takes no --from and --to beside it", param_hint="--date")
    end = (date or last or now).date()
    begin = date or first
    start = begin.date() if begin else end - timedelta(days=DEFAULT_DAYS - 1)
    if start > end:
        raise typer.BadParameter(f"{start} is after {end}", param_hint="--from")
    return Period(start, end)


def _cluster(settings: "Settings") -> "Cluster | None":
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # spark-submit has started the driver already
        return None
    from batch.session import Cluster
    from infra.local import host, packages

    host.require_java()
    packages.fetch(settings.home, "spark")
    return Cluster(settings.spark_master, settings.spark_driver_memory, packages.folder(settings.home, "spark"))


def _fail(code: int, message: str) -> NoReturn:
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
