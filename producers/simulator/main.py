"""The simulator's commands: settings, data, clients, run."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer
import uuid_utils

from domain.clock import system_clock
from domain.titles.catalogue import CATALOGUE_KEY
from infra.datasets import DatasetError, fetch, films
from infra.engines.kafka.admin import KafkaCluster
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.mariadb import connect
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.runtime import local_tokens, token_keys
from infra.runtime.settings import Settings
from infra.runtime.startup import exit_with_message, print_error
from infra.stores.accounts_mariadb import MariaDbAccounts
from producers.client.sender import HttpPost, Outcome, Rejected, Sender
from producers.simulator.accounts import beginnings
from producers.simulator.audience import Member, build_audience
from producers.simulator.catalogue import Title, join, to_jsonl
from producers.simulator.client_log import ClientLog
from producers.simulator.devices import BadRelease
from producers.simulator.live import Run, play_schedule, schedules
from producers.simulator.movielens import Rating, films_file, parse_films, parse_ratings
from producers.simulator.network import Faults, arrivals
from producers.simulator.past import Sending, play, sendings
from producers.simulator.progress import bar
from producers.simulator.viewer import FOREVER
from producers.simulator.visits import Span, visits
from schemas.errors import TransientError

DAY_MS = 24 * 60 * 60 * 1000
GRACE_SECONDS = 30
"""How long a live run waits after its end for missing replies; a fifth of it after Ctrl-C."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Simulated members: weeks of the past, or live viewing over HTTP."
)

known_errors = exit_with_message(print_error, DatasetError, Rejected, ValueError, FileNotFoundError)

Members = Annotated[int, typer.Option(min=1, help="How many members there are; MovieLens 100k has 943.")]
Ratings = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Your own ratings in MovieLens' format: ratings.csv (films in movies.csv in the same folder), "
        "ratings.dat (movies.dat) or NAME.inter (NAME.item).",
    ),
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same members and habits.")]
FaultShares = Annotated[
    str,
    typer.Option(
        "--faults",
        metavar="NAME=SHARE,…",
        help="Shares from 0 to 1 that override the defaults: late (recorded offline, sent hours later), duplicated "
        "(sent again under the same id), reordered (later events overtake it), corrupt (breaks the contract), "
        "lost (never sent: a gap in seq).",
    ),
]


@app.command()
@known_errors
def past(
    members: Members = 200,
    days: Annotated[int, typer.Option(min=1, max=365, help="How many days up to now.")] = 14,
    ratings: Ratings = None,
    seed: Seed = 1,
    faults: FaultShares = "",
) -> None:
    """Write past viewing directly into Kafka, in the order of simulated arrival."""
    settings, now = Settings(), system_clock()
    span = Span(now - days * DAY_MS, now)
    KafkaCluster(settings).check_access()
    audience = _audience(settings, ratings, members, seed)
    ids = Registry(settings).ids()
    deliveries = arrivals(visits(audience, span, seed), Faults.with_overrides(faults), span, seed)
    tally: Counter[str] = Counter()
    with bar("The past") as show, _client_log(settings, "past", now) as log:

        def progress(batch: Sequence[Sending]) -> None:
            tally["records"] += len(batch)
            tally["corrupt"] += sum(one.corrupt for one in batch)
            done = (batch[-1].event.received_at - span.since) / (span.until - span.since)
            show(done, f"{tally['records']:,} records")

        started = time.monotonic()
        play(sendings(deliveries, ids), BulkProducer(settings), log, progress)
        took = time.monotonic() - started
    typer.echo(
        f"{len(audience)} members, {days} days: {tally['records']:,} records in Kafka "
        f"({tally['corrupt']} of them deliberately corrupt) in {took:.1f} s, {tally['records'] / took:,.0f}/s"
    )


@app.command()
@known_errors
def live(
    members: Members = 200,
    viewers: Annotated[int, typer.Option(min=1, help="How many of them watch at once.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="Duration; Ctrl-C stops it earlier.")] = 60,
    heartbeat_seconds: Annotated[
        float, typer.Option(min=0.1, max=60, help="Time between a player's heartbeats; real players use 30.")
    ] = 30,
    rate: Annotated[
        float | None,
        typer.Option(min=0.1, help="Target events per second; sets the heartbeat interval instead."),
    ] = None,
    visit_seconds: Annotated[
        float | None,
        typer.Option(min=5, help="Viewers leave after this long and come back later; default: they stay."),
    ] = None,
    bad_release: Annotated[
        str,
        typer.Option(
            metavar="DEVICE/VERSION:NAME=SHARE,…",
            help="A bad release, e.g. tv/9.4.0:fails=0.5: fails (plays end in a fatal error before the first frame), "
            "loses (events are never sent).",
        ),
    ] = "",
    ratings: Ratings = None,
    seed: Seed = 1,
    faults: FaultShares = "",
) -> None:
    """Let members watch now, in real time; each sends to the collector over HTTP."""
    settings = Settings()
    _check_collector(settings)
    audience = _audience(settings, ratings, max(members, viewers), seed)[:viewers]
    heartbeat_ms = round(1000 * (len(audience) / rate if rate else heartbeat_seconds))
    run = Run(
        began_at=system_clock(),
        seconds=seconds,
        heartbeat_ms=max(heartbeat_ms, 50),
        seed=seed,
        faults=Faults.with_overrides(faults),
        visit_ms=round(visit_seconds * 1000) if visit_seconds else FOREVER,
        bad_release=BadRelease.parse(bad_release) if bad_release else None,
    )
    tally = asyncio.run(_run(settings, audience, run))
    typer.echo(
        f"{len(audience)} viewers sent {tally['sent']:,} events: {tally['accepted']:,} accepted, "
        f"{tally['refused']:,} refused, {tally['unanswered']:,} unanswered"
    )
    if not tally["accepted"]:
        typer.secho(f"Nothing was accepted at {settings.collector_url}.", fg="red", err=True)
        raise typer.Exit(1)


@app.command()
@known_errors
def accounts(members: Members = 200, ratings: Ratings = None, seed: Seed = 1) -> None:
    """Make the members' accounts, without passwords; `playhead login` signs in as one. Those that exist stay."""
    settings = Settings()
    audience = _audience(settings, ratings, members, seed)
    made, households = asyncio.run(_begin(settings, audience))
    typer.echo(f"{households} households with {len(audience)} profiles: {made} accounts are new")


@app.command()
@known_errors
def catalogue(ratings: Ratings = None) -> None:
    """Fetch films and ratings if they are missing, and write the catalogue of titles to the lake."""
    settings = Settings()
    _, titles = _data(settings, ratings)
    ObjectStore(settings).put(CATALOGUE_KEY, to_jsonl(titles))
    typer.echo(f"{len(titles):,} titles in the catalogue")


async def _begin(settings: Settings, audience: Sequence[Member]) -> tuple[int, int]:
    """How many accounts are new, and how many households there are."""
    database = connect(settings, "accounts")
    store, new = MariaDbAccounts(database), beginnings(audience, system_clock(), lambda: str(uuid_utils.uuid7()))
    try:
        applied = [await store.apply(each) for each in new]
    finally:
        await database.close()
    return sum(applied), len(applied)


async def _run(settings: Settings, audience: Sequence[Member], run: Run) -> Counter[Outcome]:
    stop, give_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def leave() -> None:
        stop.set()
        loop.call_later(GRACE_SECONDS / 5, give_up.set)

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, leave)
    loop.call_later(run.seconds + GRACE_SECONDS, give_up.set)
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    patience = settings.collector_wait_seconds + 5  # longer than the collector waits, so that its reply arrives
    with bar("Live") as show, _client_log(settings, "live", run.began_at) as log:
        async with httpx.AsyncClient(base_url=settings.collector_url, timeout=patience, limits=limits) as client:
            senders = [
                Sender(HttpPost(client, credential), log.note, system_clock, give_up)
                for credential in _credentials(settings, audience)
            ]
            watching = asyncio.create_task(_show(senders, run, show))
            async with asyncio.TaskGroup() as group:
                for schedule, sender in zip(schedules(audience, run), senders, strict=True):
                    group.create_task(play_schedule(schedule, sender, system_clock, stop))
            watching.cancel()
    return _tally(senders)


def _check_collector(settings: Settings) -> None:
    """Now, since senders try again and again, and would say so at their end only."""
    try:
        httpx.get(settings.collector_url)
    except httpx.ConnectError as error:
        raise TransientError(f"nothing answers at {settings.collector_url}: is the stack up? ({error})") from error


def _credentials(settings: Settings, audience: Sequence[Member]) -> list[str]:
    """A token for each viewer, and at the end the key of our own machines. Where no tokens can be signed, as for a
    collector elsewhere, everybody sends with the key."""
    key = settings.command_key.get_secret_value()
    if not settings.signing_key_file.exists():
        return [key] * (len(audience) + 1)
    sign = token_keys.signer(settings).sign
    return [*(sign(local_tokens.member([each.profile_id], each.account_id)) for each in audience), key]


async def _show(senders: Sequence[Sender], run: Run, show: Callable[[float, str], None]) -> None:
    while True:
        tally = _tally(senders)
        accepted, refused = tally["accepted"], tally["refused"]
        show((system_clock() - run.began_at) / 1000 / run.seconds, f"{accepted:,} accepted, {refused:,} refused")
        await asyncio.sleep(0.5)


def _tally(senders: Sequence[Sender]) -> Counter[Outcome]:
    return sum((sender.tally for sender in senders), Counter())


def _audience(settings: Settings, ratings: Path | None, members: int, seed: int) -> list[Member]:
    tastes, titles = _data(settings, ratings)
    if not (found := build_audience(tastes, titles, members, seed)):
        raise ValueError("none of the ratings matches a film")
    return found


def _data(settings: Settings, ratings: Path | None) -> tuple[list[Rating], list[Title]]:
    """All ratings, and the titles they are about."""
    datasets = fetch(settings.home / "datasets", lambda line: typer.echo(line, err=True))
    source = ratings or datasets.ratings
    tastes = parse_ratings(source.read_text("utf-8"))
    return tastes, join(parse_films(films_file(source).read_text("utf-8")), films(datasets.movies))


def _client_log(settings: Settings, mode: str, began_at: int) -> ClientLog:
    return ClientLog(settings.folder / "client-log" / f"{mode}-{began_at}.jsonl")
