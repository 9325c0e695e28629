"""``playhead restore``: write back what a member's history has lost and lake and Kafka still hold."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from cassandra.cluster import Session
from rich.console import Console

from domain.clock import system_clock
from domain.history.compaction import Compactor
from domain.history.restoring import Restored, Restorer
from domain.history.rollup import RollUpRules
from domain.ledger.member_events import MemberEvents
from infra.engines.cassandra import close, connect
from infra.engines.kafka.reader import TopicReader
from infra.engines.read_ahead import ReadAhead
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime import logs
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, fail, print_error
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from schemas.batch import BatchDecoder
from schemas.events import ViewingRecord

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def way_back() -> None:
    """The way back after a loss."""


@app.command()
@exit_with_message(print_error)
def restore(
    profile: Annotated[list[str], typer.Option(help="A profile; may be repeated: the lake is read once for all.")],
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Replace unreadable chunks even if the lake lacks some sessions.")
    ] = False,
) -> None:
    """Write back sessions that a history has lost, from the lake and Kafka; exits 1 if some sessions are in neither."""
    settings = Settings()
    logs.configure("restore", "WARNING")
    with Console(stderr=True).status("Reading the lake …"):
        registry = Registry(settings, unknown_after_s=0)
        store = ReadAhead(ObjectStore(settings))
        events = MemberEvents(TopicReader(settings), store, BatchDecoder(registry.resolve))
        records = events.records(profile)
    session = connect(settings)
    try:
        restored = asyncio.run(_restore(session, settings, records, accept_loss))
    finally:
        close(session)
    for name, one in restored.items():
        lacking = f", {one.missing:,} sessions are in neither lake nor Kafka" if one.missing else ""
        typer.echo(f"{name}: {one.outcome}, {one.sessions:,} of {len(records[name]):,} sessions written{lacking}")
    if any(one.outcome == "try again" for one in restored.values()):
        fail("A compaction was faster: run the command again.")
    if any(one.outcome == "sessions missing" for one in restored.values()):
        fail("Nothing was changed where sessions are missing. To write back the others: --accept-loss.")


async def _restore(
    session: Session, settings: Settings, records: Mapping[str, Sequence[ViewingRecord]], accept_loss: bool
) -> dict[str, Restored]:
    rules = RollUpRules(chunk_bytes=settings.chunk_bytes)
    stores = LiveVH(session), CompressedVH(session)
    restorer = Restorer(Compactor(*stores, PrometheusMetrics(), rules, system_clock))
    return {name: await restorer.restore(name, sessions, accept_loss=accept_loss) for name, sessions in records.items()}
