"""``playhead replay``: settings, clients, run."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain.clock import system_clock
from infra.engines.kafka.publisher import BulkProducer, RecordPublisher
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, print_error
from producers.replay.collector_client import CollectorClient
from producers.replay.pending import Filter, mark, pending, read
from producers.replay.replay import Replay, Tally
from producers.replay.targets import CollectorTarget, TopicTarget
from schemas.batch import BatchDecoder
from schemas.errors import TransientError
from schemas.events import DeadLetter
from schemas.topics import DEAD_LETTERS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@exit_with_message(print_error)
def replay(
    topic: Annotated[str | None, typer.Option(help="Only events of this topic, e.g. playhead.playback.")] = None,
    error_class: Annotated[str | None, typer.Option(help="Only this kind of error, e.g. out_of_range.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only those found at or after this local time.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run/--send", help="Show what --send would do.")] = True,
) -> None:
    """After a fix, send the dead letters that are valid now: each once, under its original event id."""
    settings = Settings()
    registry = Registry(settings, unknown_after_s=0)
    chosen = Filter(topic, error_class, None if since is None else int(since.timestamp() * 1000))
    try:
        waiting = pending(_records(settings, registry), chosen)
        tally = _replay(settings, registry).run(waiting, dry=dry_run)
    except TransientError as problem:
        typer.secho(f"{problem}. Events already sent are marked; run it again.", fg="red", err=True)
        raise typer.Exit(1) from None
    _show(tally)


def _records(settings: Settings, registry: Registry) -> Iterator[DeadLetter]:
    kafka, decoder = TopicReader(settings), BatchDecoder(registry.resolve)
    for name, _, partition, start, end in kafka.spans([DEAD_LETTERS.name]):
        for batch in kafka.read(name, partition, start, end):
            yield from read(decoder, [value for _, value in batch])


def _replay(settings: Settings, registry: Registry) -> Replay:
    dead_letters = RecordPublisher(settings, registry, DEAD_LETTERS, "dead_letter_id")
    client = CollectorClient(settings.collector_url, settings.command_key.get_secret_value())
    return Replay(
        topic=TopicTarget(registry.resolve, BulkProducer(settings).write),
        collector=CollectorTarget(client.post, system_clock),
        mark=lambda dead_letter: dead_letters.publish([mark(dead_letter, system_clock())]),
    )


def _show(tally: Tally) -> None:
    if not tally:
        typer.echo("no dead letters wait to be replayed")
        return
    table = Table("topic", "error class", "outcome", "dead letters", box=None, pad_edge=False)
    for (topic, error_class, outcome), count in sorted(tally.items()):
        table.add_row(topic, error_class, outcome, str(count))
    Console().print(table)
