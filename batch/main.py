"""Batch jobs from the command line: ``playhead job tables``, several in one Spark session (``playhead job tables
dashboards``), or on any Spark cluster

    PYTHONPATH=. spark-submit --master … --jars "$(printf '%s,' <home>/packages/spark/*.jar)" batch/main.py tables

Exit codes: 0 done, 1 Java or jars are missing, 2 wrong arguments or settings, 3 the lake or the tables cannot be read,
4 pages or lists cannot be written, 5 an audit failed, 6 another job changed the table meanwhile. After 3, 5 and 6 the
published tables are unchanged.
"""

import re
import subprocess
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batch.chained_commands import ChainedCommands

# Commands import Spark when they run, so that `playhead job --help` is fast.
if TYPE_CHECKING:
    from batch.progress import Report

KEEP_DAYS = 7

app = typer.Typer(cls=ChainedCommands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise typer.BadParameter(f"{text} is no day; write it as 2026-11-24.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"there is no {text} in the calendar.") from None


DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and compute, write nothing.")]
Tables = Annotated[
    list[str] | None, typer.Option("--table", help="Only this one; may be given several times.", show_default="all")
]


@app.callback()
def _jobs(
    check: Annotated[bool, typer.Option("--check", help="Only check what follows; run nothing.")] = False,
) -> None:
    """Spark jobs over the event lake. Several jobs, each with its options, run in order in one Spark session."""


@app.command()
def tables(
    table: Tables = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read the whole lake and replace what the tables hold.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Append new events of the lake to the Iceberg tables and update the derived ones. Safe to run again."""
    from batch.tables import derived_tables
    from batch.tables.assets import update_assets
    from batch.tables.ingest import IngestContext, ingest
    from batch.tables.table import ensure_namespace
    from batch.tables.table_schemas import ASSETS, INGESTED, NAMES, RECORDS, SESSIONS, TITLES
    from batch.tables.viewing_records import update_records
    from batch.wiring import job
    from infra.engines.s3 import ObjectStore

    chosen = _chosen(table, NAMES)
    with job("tables") as run:
        settings = run.settings
        context = IngestContext(run.spark, ObjectStore(settings), run.root, settings.iceberg_namespace, dry_run)
        if not dry_run:
            ensure_namespace(run.spark, settings.iceberg_namespace)
        sources: dict[str, Callable[[Report], None]] = {
            TITLES.name: partial(derived_tables.update_titles, context),
            ASSETS.name: partial(update_assets, context, rebuild=rebuild),
            **{name: partial(ingest, context, name, rebuild=rebuild) for name in INGESTED},
        }
        sessions = {SESSIONS.name: partial(derived_tables.update_sessions, context, rebuild=rebuild)}
        records = {RECORDS.name: partial(update_records, context, rebuild=rebuild)}
        groups = (sources, sessions, records)
        run.run_steps(*({name: step for name, step in steps.items() if name in chosen} for steps in groups))


@app.command()
def maintain(
    table: Tables = None,
    keep_days: Annotated[
        int, typer.Option("--keep-days", min=0, help="How long a table's old snapshots stay readable.")
    ] = KEEP_DAYS,
    dry_run: DryRun = False,
) -> None:
    """Compact small files, expire old snapshots, delete orphan files, and check each table for duplicates."""
    from batch.features.definitions import FEATURES
    from batch.tables import table_schemas as schemas
    from batch.tables.maintenance import MaintenanceOptions, maintain
    from batch.tables.table import Table
    from batch.wiring import job

    derived = (schemas.SESSIONS, schemas.RECORDS, schemas.TITLES, schemas.ASSETS, schemas.SNAPSHOTS)
    known = {each.name: each for each in (*schemas.INGESTED.values(), *derived, *FEATURES)}
    chosen = _chosen(table, known)
    with job("maintain") as run:
        options = MaintenanceOptions(run.now, timedelta(days=keep_days), dry_run)
        found = [Table(run.spark, run.settings.iceberg_namespace, known[name]) for name in chosen]
        run.run_steps({each.schema.name: partial(maintain, each, options) for each in found if each.exists})


@app.command()
def snapshot(dry_run: DryRun = False) -> None:
    """Copy every profile's viewing history from Cassandra into today's snapshot. A second run replaces it."""
    from batch.tables.snapshot import publish, read_histories
    from batch.tables.table import Table, ensure_namespace
    from batch.tables.table_schemas import SNAPSHOTS
    from batch.wiring import job
    from domain.history.reading import HistoryReader
    from infra.engines.cassandra import close, connect
    from infra.runtime.metrics.prometheus import PrometheusMetrics
    from infra.stores.compressed_vh_cassandra import CompressedVH
    from infra.stores.history_cassandra import LiveVH
    from infra.stores.profiles_cassandra import Profiles

    with job("snapshot") as run, run.step("viewing history") as report:
        session = connect(run.settings)
        try:
            reader = HistoryReader(LiveVH(session), CompressedVH(session), PrometheusMetrics())
            records = read_histories(Profiles(session), reader)
            if dry_run:
                report("viewing records read", sum(1 for _ in records))
                return
            ensure_namespace(run.spark, run.settings.iceberg_namespace)
            publish(Table(run.spark, run.settings.iceberg_namespace, SNAPSHOTS), run.now.date(), records, report)
        finally:
            close(session)


@app.command()
def features(
    one: Annotated[
        date | None,
        typer.Option("--as-of", "--date", parser=_day, metavar="YYYY-MM-DD", help="As of this day's midnight (UTC)."),
    ] = None,
    first: Annotated[
        date | None,
        typer.Option(
            "--from",
            parser=_day,
            metavar="YYYY-MM-DD",
            help="First midnight; default the last one published, or today's, or that of --to.",
        ),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", parser=_day, metavar="YYYY-MM-DD", help="Last midnight, included; default tomorrow's."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Compute the features of profiles, titles and their pairs as of each midnight. A second run replaces them."""
    from batch.features.features_job import FeaturesJob, newest_as_of
    from batch.wiring import job

    today = datetime.now(UTC).date()
    usual = today, today + timedelta(days=1)
    days = _days(usual, one, first, last)
    with job("features") as run:
        namespace = run.settings.iceberg_namespace
        if not (one or first or last) and (known := newest_as_of(run.spark, namespace)) and known < days[0]:
            days = _days(usual, None, known, None)
        with FeaturesJob(run.spark, namespace, days, dry_run) as made:
            run.run_steps(made.steps())


@app.command()
def dashboards(
    one: Annotated[
        date | None, typer.Option("--date", parser=_day, metavar="YYYY-MM-DD", help="Only this day (UTC).")
    ] = None,
    first: Annotated[
        date | None,
        typer.Option(
            "--from", parser=_day, metavar="YYYY-MM-DD", help="First day; default yesterday, or that of --to."
        ),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", parser=_day, metavar="YYYY-MM-DD", help="Last day, included; default today."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the pages; default reports/dashboards in the stack's folder."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Write a page a day (viewing, quality, funnel, client loss, the lake) and an index. A second run replaces both.

    Without days, pages of earlier days to which late events came are made again, too.
    """
    from batch.reports.build_day import build_day
    from batch.reports.changed_days import changed_days
    from batch.reports.page import Run, render_day, render_index
    from batch.reports.report_folder import ReportFolder, UnreadablePage
    from batch.reports.reports_job import ReportsJob
    from batch.tables.table import require_table
    from batch.tables.table_schemas import EVENTS
    from batch.wiring import ExitCode, fail, job

    today = datetime.now(UTC).date()
    days = _days((today - timedelta(days=1), today), one, first, last)
    with job("dashboards") as run:
        timeout = timedelta(seconds=run.settings.session_timeout_seconds)
        pages = ReportFolder(out or run.settings.folder / "reports" / "dashboards")
        try:
            events = require_table(run.spark, run.settings.iceberg_namespace, EVENTS["playback"])
            made = Run(run.id, int(run.now.timestamp() * 1000), events.history()[0].id)
            if not (one or first or last):
                changed = changed_days(events, {day: page.get("snapshot") for day, page in pages.days().items()})
                if late := [day for day in changed if day not in days]:
                    run.note(f"late events: {', '.join(map(str, late))} made again")
                    days = [*late, *days]
            with run.step("tables") as report:
                inputs = ReportsJob(run.settings.iceberg_namespace, days, run.now, timeout).run(run.spark, report)
            built = {each: build_day(inputs, each) for each in days}
            shown = [each for each in days if not built[each].without_events]
            if empty := [each for each in days if each not in shown]:
                run.warn(f"no events, so no page: {', '.join(map(str, empty))}")
            others = sorted({*pages.days(), *shown})
            for each in shown:
                with run.step(str(each)) as report:
                    if not dry_run:
                        pages.put(each, render_day(built[each], made, others))
                    report("starts", int(built[each].now.metrics["starts"] or 0))
            if dry_run:
                run.note("nothing written: --dry-run")
                return
            index = pages.put_index(render_index(pages.days(), made))
        except UnreadablePage as error:
            fail(ExitCode.UNWRITABLE, str(error))
        except OSError as error:
            fail(ExitCode.UNWRITABLE, f"{pages.folder} cannot be written: {error.strerror}")
        run.note(f"pages written: {index}")


@app.command()
def recommend(dry_run: DryRun = False) -> None:
    """Learn from the feature tables, and write each profile's recommendations to Cassandra."""
    import asyncio

    from batch.recommend.recommend_job import make_lists, read_training_data, write
    from batch.wiring import ExitCode, fail, job
    from infra.engines.cassandra import close, connect
    from infra.stores.recommendations_cassandra import Recommendations
    from schemas.errors import TransientError

    with job("recommend") as run:
        with run.step("features") as report:
            data = read_training_data(run.spark, run.settings.iceberg_namespace, report)
        with run.step("lists") as report:
            made = make_lists(data, int(run.now.timestamp() * 1000), report) if data else None
        if made is None or dry_run:
            run.note("nothing written: " + ("--dry-run" if dry_run else "nobody has watched anything yet"))
            return
        try:
            session = connect(run.settings)
            try:
                with run.step("Cassandra") as report:
                    asyncio.run(write(made, Recommendations(session), report))
            finally:
                close(session)
        except TransientError as error:
            fail(ExitCode.UNWRITABLE, str(error))


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="Run this query and exit; without it, open a prompt.")] = None,
) -> None:
    """Query the tables: Spark's SQL prompt, with the lake's catalog and namespace as defaults."""
    import pyspark

    from batch.session import session_settings
    from batch.tables.iceberg_catalog import as_default
    from batch.wiring import connections, load_settings

    settings, cluster = load_settings()
    lines = session_settings("sql", connections(settings), cluster) | as_default(settings.iceberg_namespace)
    properties = settings.folder / "sql.properties"
    properties.parent.mkdir(parents=True, exist_ok=True)
    properties.touch(mode=0o600)  # it holds the keys
    properties.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    program = Path(pyspark.__file__).parent / "bin" / "spark-sql"
    ask = ["-e", query] if query else []
    raise typer.Exit(subprocess.run([program, "--properties-file", properties, "-S", *ask], check=False).returncode)


def _chosen(tables: list[str] | None, known: Collection[str]) -> list[str]:
    for name in tables or ():
        if name not in known:
            raise typer.BadParameter(f"no table {name}; choose from {', '.join(known)}", param_hint="--table")
    return tables or list(known)


def _days(usual: tuple[date, date], one: date | None, first: date | None, last: date | None) -> list[date]:
    """``usual``: the first and last day by default."""
    if one and (first or last):
        raise typer.BadParameter("cannot be combined with --from or --to", param_hint="--date")
    end = one or last or usual[1]
    start = one or first or last or usual[0]
    if start > end:
        raise typer.BadParameter(f"{start} is after {end}", param_hint="--from")
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


if __name__ == "__main__":
    app(prog_name="playhead job")
