"""The ledger as commands: settings, clients, read, print."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.history.reading import HistoryReader
from domain.ledger.client_log import read_client_logs
from domain.ledger.collect import Places, collect
from domain.ledger.collector_counts import by_family
from domain.ledger.equations import Equation, balance
from domain.ledger.history_source import ReadBack
from domain.ledger.hour_table import hour_table, notes
from domain.ledger.hourly import HourlyLedger
from domain.processes import consumer_groups
from infra.engines.cassandra import close, connect
from infra.engines.iceberg import EventTables
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.ledger_sources import ledger_places
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.ledger_cassandra import LedgerAccepted
from infra.stores.profiles_cassandra import Profiles
from schemas.batch import BatchDecoder
from schemas.errors import AccessDenied, TransientError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
POLL_S = 0.5


@app.callback()
def proofs() -> None:
    """Proofs that nothing was lost, doubled or made up."""


@app.command()
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

    With an hour: Kafka, lake and dead letters by family, read anew, beside what the collectors counted.
    """
    settings = Settings()
    console = Console()
    if hour:
        _print_hour(settings, int(hour.replace(tzinfo=UTC).timestamp()) // 3600, console)
        return
    with console.status("Reading every side …") as status:
        equations = _balance(settings, client_logs or settings.folder / "client-log", status.update)
    console.print(_table(equations))
    if all(equation.holds for equation in equations):
        console.print("[bold green]The ledger balances.[/]")
        return
    for equation in equations:
        for difference in equation.differences:
            console.print(f"[red]{equation.name}:[/] {difference}", highlight=False, soft_wrap=True)
    fail("The ledger does not balance.")


def _balance(settings: Settings, client_logs: Path, progress: Callable[[str], None]) -> list[Equation]:
    session = connect(settings)
    try:
        reader = HistoryReader(LiveVH(session), CompressedVH(session), PrometheusMetrics())
        places = Places(
            kafka=TopicReader(settings),
            lake=ObjectStore(settings),
            history=ReadBack(Profiles(session), reader),
            tables=EventTables(settings),
            decoder=BatchDecoder(Registry(settings).resolve),
        )
        return balance(collect(places, read_client_logs(client_logs), progress))
    finally:
        close(session)


def _table(equations: list[Equation]) -> Table:
    table = Table(title="Ledger", title_justify="left")
    for column, justify in (("", "left"), ("one side", "left"), ("", "right"), ("other side", "left"), ("", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    table.add_column("holds")
    for e in equations:
        holds = "[green]yes[/]" if e.holds else "[bold red]NO[/]"
        table.add_row(e.name, e.left, f"{e.left_count:,}", e.right, f"{e.right_count:,}", holds)
    return table


def _print_hour(settings: Settings, hour: int, console: Console) -> None:
    session = connect(settings)
    try:
        overdue_ms = time.time_ns() // 1_000_000 - settings.ledger_overdue_seconds * 1000
        with console.status("Reading Kafka and lake …") as status:
            sides = HourlyLedger(ledger_places(settings, session), overdue_ms).prove(hour, status.update)
        accepted = by_family(LedgerAccepted(session).accepted(hour))
    finally:
        close(session)
    began = datetime.fromtimestamp(hour * 3600, UTC)
    console.print(hour_table(f"Received on {began:%Y-%m-%d from %H:00} to {began:%H}:59 UTC", sides, accepted))
    for note in notes(sides, accepted):
        console.print(note, highlight=False, soft_wrap=True)
    if not any(side.findings for side in sides):
        console.print("[bold green]The hour balances.[/]")
        return
    for side in sides:
        for finding in side.findings:
            console.print(f"[red]difference:[/] {escape(finding)}", highlight=False, soft_wrap=True)
    fail("The hour does not balance.")


@app.command()
def drain(
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 300,
) -> None:
    """Wait until every consumer group has committed all that is in Kafka; exits 1 when it takes too long."""
    kafka = TopicReader(Settings())
    groups = consumer_groups()
    deadline = time.monotonic() + timeout
    with Console().status("Waiting for the consumers …") as status:
        while behind := what_is_left(groups, kafka.lag):
            status.update(behind)
            if time.monotonic() > deadline:
                fail(f"not drained within {timeout:g} s: {behind}")
            time.sleep(POLL_S)
    typer.echo(f"Drained: {', '.join(groups)} have nothing left to read.")


def what_is_left(groups: Mapping[str, Iterable[str]], lag: Callable[[str, Iterable[str]], int]) -> str:
    """Which groups have still to commit how much of their topics, for a person; empty once none has.

    A Kafka that does not answer leaves everything: it may just be starting again.
    """
    try:
        lags = {group: lag(group, topics) for group, topics in groups.items()}
    except AccessDenied:
        raise
    except TransientError as error:
        return str(error)
    return ", ".join(f"{group} has {records:,} records to go" for group, records in lags.items() if records)


if __name__ == "__main__":
    with exit_with_message(print_error):
        app(prog_name="playhead")
