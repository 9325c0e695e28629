"""``playhead database``: dump the services' tables, and bring them back."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.clock import system_clock
from domain.processes import OWNERS, Owner
from infra import migrate_mariadb
from infra.engines.mariadb import Database, connect
from infra.engines.unfinished_restores import unmark
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.mariadb_dumps import dump, folder, forget, load, newest
from infra.runtime import logs
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error
from infra.stores.accounts_tables import ACCOUNTS
from infra.stores.outbox_restoring import Counter, check, raise_counters
from schemas.events import CountedRecord
from schemas.topics import CHANGE_TOPICS, Topic

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
DAY_MS = 24 * 60 * 60 * 1000
COUNTERS: Mapping[Owner, Mapping[Topic, Counter]] = {
    "accounts": {
        CHANGE_TOPICS[name]: Counter(ACCOUNTS.c.account_id, ACCOUNTS.c[f"{name}_seq"])
        for name in ("accounts", "entitlements", "revocations")
    }
}
"""Each service's counters, by the topic that they number."""
SHOWN = 20
Service = Annotated[str, typer.Argument(help=f"Whose tables: {', '.join(OWNERS)}.")]


@app.callback()
def tables() -> None:
    """Dump and restore the services' tables in MariaDB."""


@app.command("dump")
@exit_with_message(print_error)
def dump_(
    to: Annotated[Path | None, typer.Option(help="Folder of the dumps; by default in the stack's folder.")] = None,
    keep: Annotated[int, typer.Option(min=1, help="Newest dumps of a service that stay.")] = 14,
) -> None:
    """Dump every service's tables, without stopping anybody; run it each night."""
    settings = Settings()
    into, at = to or folder(settings), datetime.fromtimestamp(system_clock() / 1000, UTC)
    for owner in OWNERS:
        asyncio.run(_forget_transactions(settings, owner))
        file = dump(settings, owner, into, at)
        forget(owner, into, keep)
        typer.echo(f"{owner}: {file} ({file.stat().st_size / 2**20:.1f} MiB)")


@app.command()
@exit_with_message(print_error)
def restore(
    service: Service,
    file: Annotated[Path | None, typer.Argument(help="A dump; by default the newest.", exists=True)] = None,
) -> None:
    """Replace a service's tables by those of a dump; then raise its counters above what Kafka and the lake have, and
    list what the dump lacks. The processes that need the tables must be stopped."""
    settings = Settings()
    logs.configure("restore", "WARNING")
    owner = next((each for each in OWNERS if each == service), None)
    if owner is None:
        fail(f"unknown service {service!r}: choose from {', '.join(OWNERS)}")
    _require_stopped(settings)
    chosen = file or newest(owner, folder(settings))
    check(settings, COUNTERS[owner])
    load(settings, owner, chosen)
    migrate_mariadb.migrate(settings, (owner,))
    lacking = asyncio.run(_raise(settings, owner))
    unmark(settings, owner)
    typer.echo(f"{owner}: restored {chosen}; Kafka or the lake has {len(lacking):,} changes that it lacks")
    for record in lacking[:SHOWN]:
        typer.echo(f"    {_describe(record)}")
    if len(lacking) > SHOWN:
        typer.echo(f"    and {len(lacking) - SHOWN:,} more")


def _require_stopped(settings: Settings) -> None:
    serving = [process.name for process in settings.processes if "mariadb" in process.needs]
    running = [each.name for each in Stack(settings).status() if each.name in serving and each.pid]
    if running:
        raise StackError(f"{' and '.join(running)} must not serve meanwhile: `playhead stop {running[0]}` first")


async def _forget_transactions(settings: Settings, owner: Owner) -> None:
    database = connect(settings, owner)
    try:
        await database.forget_transactions(system_clock() - DAY_MS)
    finally:
        await database.close()


async def _raise(settings: Settings, owner: Owner) -> Sequence[CountedRecord]:
    database = Database(settings, owner)
    try:
        return await raise_counters(settings, database, COUNTERS[owner])
    finally:
        await database.close()


def _describe(record: CountedRecord) -> str:
    what = getattr(record, "kind", None) or type(record).__name__
    at = datetime.fromtimestamp(record.received_at / 1000, UTC)
    return f"{record.account_id}, seq {record.seq}, {at:%Y-%m-%d %H:%M:%S} UTC: {what}"
