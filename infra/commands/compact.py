"""``playhead compact``: roll up profiles by hand, as the compaction worker does on request."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer
from cassandra.cluster import Session
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from domain.clock import system_clock
from domain.history.compaction import Compactor, Outcome
from domain.history.rollup import RollUpRules
from infra.engines.cassandra import close, connect
from infra.runtime import logs
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.profiles_cassandra import Profiles

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
CONCURRENT_PROFILES = 8


@app.callback()
def by_hand() -> None:
    """Compaction by hand."""


@app.command()
@exit_with_message(print_error)
def compact(
    profile: Annotated[str | None, typer.Option(help="Only this profile.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every profile.")] = False,
    keep_live: Annotated[
        int | None,
        typer.Option(min=0, help="Newest sessions of a profile that stay live; default: the setting."),
    ] = None,
) -> None:
    """Move closed sessions beyond the newest few from LiveVH into CompressedVH; exits 1 when one could not be."""
    if (profile is None) is not all_:
        fail("Pass either --profile or --all.")
    settings = Settings()
    rules = RollUpRules(
        keep_live=settings.compaction_keep_live if keep_live is None else keep_live,
        timeout_ms=settings.session_timeout_seconds * 1000,
        chunk_bytes=settings.chunk_bytes,
        max_live=settings.compaction_max_live,
    )
    logs.configure("compact", "WARNING")
    session = connect(settings)
    try:
        profiles = [profile] if profile is not None else list(Profiles(session))
        outcomes = asyncio.run(_compact(session, rules, profiles))
    finally:
        close(session)
    typer.echo(", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common()) or "no live records")
    if outcomes["damaged"] or outcomes["too many deletions"]:
        fail("Some profiles were not rolled up; the log names them.")


async def _compact(session: Session, rules: RollUpRules, profiles: Sequence[str]) -> "Counter[Outcome]":
    compactor = Compactor(
        live=LiveVH(session),
        compressed=CompressedVH(session),
        metrics=PrometheusMetrics(),
        rules=rules,
        now=system_clock,
    )
    outcomes: Counter[Outcome] = Counter()
    room = asyncio.Semaphore(CONCURRENT_PROFILES)
    columns = (TextColumn("Compacting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=len(profiles))

        async def one(profile: str) -> None:
            async with room:
                outcomes[await compactor.compact(profile)] += 1
                progress.advance(bar)

        await asyncio.gather(*map(one, profiles))
    return outcomes
