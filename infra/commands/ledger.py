"""``playhead ledger`` and ``playhead drain``: settings, clients, read, print."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from cassandra.cluster import Session
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.clock import system_clock
from domain.history.reading import HistoryReader
from domain.ledger.checks import Check, run_checks
from domain.ledger.collector_counts import by_family
from domain.ledger.hourly import HourlyLedger, TopicHour, notes
from domain.ledger.snapshot import HistorySource, Stores, read_client_logs, take_snapshot
from domain.ledger.sources import Sources
from domain.ledger.succession import SuccessionLedger
from domain.processes import OWNERS, Owner, consumer_groups
from infra.engines import mariadb
from infra.engines.cassandra import close, connect
from infra.engines.iceberg import EventTables
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.ledger_sources import all_sides, compare_chains, ledger_sources, title_ledger
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.ledger_cassandra import CollectorCounts
from infra.stores.outbox_mariadb import MariaOutbox
from infra.stores.profiles_cassandra import Profiles
from schemas.errors import AccessDenied, TransientError
from schemas.topics import TOPICS

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
POLL_S = 0.5
HOUR_COLUMNS = ("collector accepted", "in Kafka", "in the lake", "distinct events", "dead letters", "difference")


@app.callback()
def proofs() -> None:
    """Checks that nothing was lost, duplicated or made up."""


@app.command()
@exit_with_message(print_error)
def ledger(
    client_logs: Annotated[
        Path | None,
        typer.Option(help="Folder of the clients' own logs; the simulator's by default.", file_okay=False),
    ] = None,
    hour: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H"], metavar="YYYY-MM-DDTHH", help="Only what was received in this hour, UTC."
        ),
    ] = None,
) -> None:
    """Compare Kafka, lake, tables, history and the clients' own logs; exits 1 and names what differs.

    With an hour: Kafka, lake and dead letters by family, read again, next to what the collectors counted.
    """
    settings = Settings()
    console = Console()
    if hour:
        _print_hour(settings, int(hour.replace(tzinfo=UTC).timestamp()) // 3600, console)
        return
    with console.status("Reading every side …") as status:
        checks = _run_checks(settings, client_logs or settings.folder / "client-log", status.update)
    console.print(_table(checks))
    if all(check.holds for check in checks):
        console.print("[bold green]The ledger balances.[/]")
        return
    for check in checks:
        for difference in check.differences:
            console.print(f"[red]{check.name}:[/] {difference}", highlight=False, soft_wrap=True)
    fail("The ledger does not balance.")


def _run_checks(settings: Settings, client_logs: Path, progress: Callable[[str], None]) -> list[Check]:
    session = connect(settings)
    try:
        reader = HistoryReader(LiveVH(session), CompressedVH(session), PrometheusMetrics())
        history = HistorySource(Profiles(session), reader)
        tables, sides = EventTables(settings), all_sides(settings)
        stores = Stores(history, tables, read_client_logs(client_logs))
        compare = partial(compare_chains, settings, sides)
        checks = run_checks(take_snapshot(sides, compare, stores, progress, system_clock))
        if "members" in settings.parts:
            progress("Sequences of outboxes")
            checks.append(SuccessionLedger(sides).check())
        if "video" in settings.parts:
            progress("Records of videos")
            checks.append(title_ledger(settings, sides).check(tables.titles()))
        return checks
    finally:
        close(session)


def _sources(settings: Settings, session: Session) -> Sources:
    return ledger_sources(settings, session, Registry(settings, unknown_after_s=0))


def _table(checks: list[Check]) -> Table:
    table = Table(title="Ledger", title_justify="left")
    for column, justify in (("", "left"), ("one side", "left"), ("", "right"), ("other side", "left"), ("", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    table.add_column("holds")
    for check in checks:
        holds = "[green]yes[/]" if check.holds else "[bold red]NO[/]"
        table.add_row(check.name, check.left, f"{check.left_count:,}", check.right, f"{check.right_count:,}", holds)
    return table


def _hour_table(title: str, topics: Sequence[TopicHour], accepted: Mapping[str, int]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("family")
    for column in HOUR_COLUMNS:
        table.add_column(column, justify="right")
    for topic in topics:
        family = TOPICS[topic.topic].record
        numbers = accepted.get(family), topic.kafka, topic.lake, topic.distinct, topic.dead_letters
        difference = f"[bold red]{topic.difference:,}[/]" if topic.difference else "[green]0[/]"
        table.add_row(family, *("–" if n is None else f"{n:,}" for n in numbers), difference)
    return table


def _print_hour(settings: Settings, hour: int, console: Console) -> None:
    session = connect(settings)
    try:
        overdue_ms = system_clock() - settings.ledger_overdue_seconds * 1000
        with console.status("Reading Kafka and lake …") as status:
            topics = HourlyLedger(_sources(settings, session), overdue_ms).check(hour, status.update)
        accepted = by_family(CollectorCounts(session).counts(hour))
    finally:
        close(session)
    began = datetime.fromtimestamp(hour * 3600, UTC)
    console.print(_hour_table(f"Received on {began:%Y-%m-%d from %H:00} to {began:%H}:59 UTC", topics, accepted))
    for note in notes(topics, accepted):
        console.print(note, highlight=False, soft_wrap=True)
    if not any(topic.findings for topic in topics):
        console.print("[bold green]The hour balances.[/]")
        return
    for topic in topics:
        for finding in topic.findings:
            console.print(f"[red]difference:[/] {escape(finding)}", highlight=False, soft_wrap=True)
    fail("The hour does not balance.")


@app.command()
@exit_with_message(print_error)
def drain(
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 300,
) -> None:
    """Wait until every change is in Kafka, and every consumer group has committed all that is there; exits 1 when it
    takes too long."""
    settings = Settings()
    kafka, groups = TopicReader(settings), consumer_groups(settings.processes)
    deadline = time.monotonic() + timeout
    with Console().status("Waiting for the consumers …") as status:
        while behind := _unpublished(settings) or remaining_lag(groups, kafka.lag):
            status.update(behind)
            if time.monotonic() > deadline:
                fail(f"not drained within {timeout:g} s: {behind}")
            time.sleep(POLL_S)
    typer.echo(f"Drained: {', '.join(groups)} have nothing left to read.")


def _unpublished(settings: Settings) -> str:
    """A message with the outboxes whose rows are not all in Kafka. Empty when none has such rows."""

    async def waiting(owner: Owner) -> int:
        database = mariadb.connect(settings, owner)
        try:
            return (await MariaOutbox(database, "", 0).waiting()).rows
        finally:
            await database.close()

    if "members" not in settings.parts:
        return ""
    try:
        rows = {owner: asyncio.run(waiting(owner)) for owner in OWNERS}
    except AccessDenied:
        raise
    except TransientError as error:
        return str(error)
    return ", ".join(f"{count:,} changes of {owner} are not published" for owner, count in rows.items() if count)


def remaining_lag(groups: Mapping[str, Iterable[str]], lag: Callable[[str, Iterable[str]], int]) -> str:
    """A message with the groups that still have records to commit, and how many. Empty when none has.

    If Kafka does not answer, that is the message: it may be restarting.
    """
    try:
        lags = {group: lag(group, topics) for group, topics in groups.items()}
    except AccessDenied:
        raise
    except TransientError as error:
        return str(error)
    return ", ".join(f"{group} has {records:,} records to go" for group, records in lags.items() if records)
