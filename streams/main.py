"""The stream workers as commands: settings -> clients -> run."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import typer

if TYPE_CHECKING:
    from cassandra.cluster import Session

    from infra.settings import Settings
    from streams.engine.app import Broker

# One process per core: polars must not start a thread for each of them. It reads this when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Worker = Annotated[int, typer.Option(min=0, help="Number of this worker, from 0.")]


@app.callback()
def workers() -> None:
    """Playhead's stream workers; the launcher starts as many as the settings say."""


@app.command()
def history(worker: Worker = 0) -> None:
    """Playback events into LiveVH."""
    import asyncio

    asyncio.run(_history(worker))


@app.command()
def compaction(worker: Worker = 0) -> None:
    """Requested compactions: LiveVH into CompressedVH."""
    import asyncio

    asyncio.run(_compaction(worker))


@app.command()
def quality(worker: Worker = 0) -> None:
    """Playback events into figures, quality of experience, and what support is told of members."""
    import asyncio

    asyncio.run(_quality(worker))


async def _history(worker: int) -> None:
    from infra.clients.cassandra import LiveVH
    from infra.clients.kafka_requests import KafkaCompactionRequests
    from infra.clients.registry import Registry
    from infra.meters import HistoryMetrics
    from schemas.codec import BatchDecoder
    from streams.engine.app import build_app
    from streams.engine.history_agent import FETCH_WAIT_MS, add_history_agent
    from streams.engine.worker import serve
    from streams.history.overgrown import Overgrown
    from streams.history.recording import Recorder

    with _workplace("history", worker, HistoryMetrics) as at:
        registry, live = Registry(at.settings), LiveVH(at.session)
        recorder = Recorder(BatchDecoder(registry.resolve), live, at.metrics)
        requests = KafkaCompactionRequests(at.settings, registry)
        overgrown = Overgrown(live, requests, at.settings.compaction_threshold, _now)
        faust_app = build_app(at.group, _broker(at.settings), at.folder, at.metrics, fetch_wait_ms=FETCH_WAIT_MS)
        add_history_agent(faust_app, at.topics[0], recorder, overgrown, at.metrics)
        await serve(faust_app)


async def _compaction(worker: int) -> None:
    from infra.clients.cassandra import LiveVH
    from infra.clients.compressed_vh import CompressedVH
    from infra.clients.registry import Registry
    from infra.meters import CompactionMetrics
    from schemas.codec import BatchDecoder
    from streams.engine.app import build_app
    from streams.engine.compaction_agent import FETCH_WAIT_MS, add_compaction_agent
    from streams.engine.worker import serve
    from streams.history.compaction import Compactor
    from streams.history.requested import Requests
    from streams.history.rollup import RollUpRules

    with _workplace("compaction", worker, CompactionMetrics) as at:
        rules = RollUpRules(
            keep_live=at.settings.compaction_keep_live,
            timeout_ms=at.settings.session_timeout_seconds * 1000,
            chunk_bytes=at.settings.chunk_bytes,
        )
        compactor = Compactor(LiveVH(at.session), CompressedVH(at.session), at.metrics, rules, _now)
        requests = Requests(BatchDecoder(Registry(at.settings).resolve), at.metrics)
        faust_app = build_app(at.group, _broker(at.settings), at.folder, at.metrics, fetch_wait_ms=FETCH_WAIT_MS)
        add_compaction_agent(faust_app, at.topics[0], requests, compactor, at.metrics)
        await serve(faust_app)


async def _quality(worker: int) -> None:
    from infra.clients.kafka_cluster import KafkaCluster
    from infra.clients.quality_store import QualityCheckpoints
    from infra.clients.registry import Registry
    from infra.clients.support_store import SupportWriter
    from infra.quality_meters import QualityMeters
    from infra.starting import enter
    from schemas.codec import BatchDecoder
    from streams.engine.app import build_app
    from streams.engine.error_agent import add_error_agent
    from streams.engine.quality_agent import FETCH_WAIT_MS, add_quality_agent
    from streams.engine.worker import serve
    from streams.quality.counting import Counting
    from streams.quality.reported import ReportedErrors

    with _workplace("quality", worker, QualityMeters) as at:
        playback, errors = at.topics
        cluster = KafkaCluster(at.settings)
        topic_ids = enter(lambda: cluster.topic_ids([playback]))
        store = QualityCheckpoints(at.session, topic_ids[playback])
        decoder = BatchDecoder(Registry(at.settings).resolve)
        counting = Counting(decoder, store, at.metrics, at.settings.session_timeout_seconds * 1000, _now)
        broker = _broker(at.settings)
        durable = {playback: counting.durable}
        faust_app = build_app(at.group, broker, at.folder, at.metrics, fetch_wait_ms=FETCH_WAIT_MS, durable=durable)
        add_quality_agent(faust_app, playback, counting, at.metrics)
        reported = ReportedErrors(decoder, SupportWriter(at.session), at.metrics)
        add_error_agent(faust_app, errors, reported, at.metrics)
        await serve(faust_app)


M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Workplace(Generic[M]):
    """What a Faust worker finds when it begins."""

    settings: "Settings"
    session: "Session"
    metrics: M
    group: str
    topics: tuple[str, ...]
    folder: Path
    """For Faust's own files."""


@contextmanager
def _workplace(name: str, worker: int, metrics: Callable[[str, str], M]) -> Iterator[Workplace[M]]:
    """Logs and the metrics page first; then as long as it takes until Kafka and Cassandra let us in."""
    from prometheus_client import start_http_server

    from infra import logs
    from infra.clients.cassandra import close, connect
    from infra.clients.kafka_cluster import KafkaCluster
    from infra.settings import Port, Settings
    from infra.starting import enter
    from streams.pipeline import BY_NAME

    settings, process = Settings(), BY_NAME[name]
    group = process.group or ""
    logs.configure(f"{name}-{worker}", settings.log_level)
    meters = metrics(name, group)
    start_http_server(settings.port(Port[process.port], worker), settings.bind)
    enter(KafkaCluster(settings).greet)  # aiokafka would not say why it is not let in
    session = enter(lambda: connect(settings))
    try:
        yield Workplace(
            settings, session, meters, group, process.topics, settings.folder / "faust" / f"{name}-{worker}"
        )
    finally:
        close(session)


def _broker(settings: "Settings") -> "Broker":
    from streams.engine.app import Broker

    return Broker(
        bootstrap=settings.kafka,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_username,
        password=settings.kafka_password.get_secret_value(),
        ca_file=settings.kafka_ca_file,
    )


def _now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@app.command()
def lake(worker: Worker = 0) -> None:
    """Every record of every topic into the lake, exactly once. Exits 1 when it leaves a halted partition behind."""
    import signal
    import threading

    from prometheus_client import start_http_server

    from infra import logs
    from infra.clients.kafka_cluster import KafkaCluster
    from infra.clients.kafka_consumer import KafkaConsumer
    from infra.clients.kafka_dead_letters import KafkaDeadLetters
    from infra.clients.object_store import ObjectStore, prove_first_put_wins
    from infra.clients.registry import Registry
    from infra.meters import LakeMetrics
    from infra.settings import Port, Settings
    from infra.starting import enter
    from schemas import avro
    from schemas.codec import BatchDecoder
    from schemas.topics import DEAD_LETTERS, TOPICS
    from streams.dead_letter import DeadLetterLimit
    from streams.lake.partition import Contract, World
    from streams.lake.sink import Sink
    from streams.lake.spans import Bounds
    from streams.pipeline import BY_NAME

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings, process = Settings(), BY_NAME["lake"]
    logs.configure(f"lake-{worker}", settings.log_level)
    start_http_server(settings.port(Port.LAKE_METRICS, worker), settings.bind)
    store, registry = ObjectStore(settings), Registry(settings)
    enter(KafkaCluster(settings).greet)
    enter(lambda: prove_first_put_wins(store))
    dead_letter_schema = enter(registry.ids)[DEAD_LETTERS.record]
    group = process.group or ""
    log = KafkaConsumer(settings, group, f"lake-{worker}", process.topics)
    world = World(
        log=log,
        store=store,
        letters=KafkaDeadLetters(settings, dead_letter_schema),
        decoder=BatchDecoder(registry.resolve),
        resolve=registry.resolve,
        metrics=LakeMetrics(process.name, group),
        now=_now,
        bounds=Bounds(
            records=settings.lake_flush_records,
            bytes=settings.lake_flush_bytes,
            age_ms=int(settings.lake_flush_seconds * 1000),
        ),
    )
    contracts = {
        topic.name: Contract(topic.record, avro.schema(topic.record), DeadLetterLimit(settings.dead_letter_limit))
        for topic in TOPICS.values()
    }
    sink = Sink(contracts, world)
    try:
        while not stop.is_set():
            sink.step()
        sink.drain()
    finally:
        log.close()
    if sink.halted:
        raise typer.Exit(1)


@app.command()
def ledger() -> None:
    """Kafka and lake compared, all the time."""
    import logging
    import signal
    import threading

    from prometheus_client import start_http_server

    from infra import logs
    from infra.clients.cassandra import close, connect
    from infra.clients.collector_counters import CollectorCounters
    from infra.clients.kafka_cluster import KafkaCluster
    from infra.clients.kafka_log import KafkaLog
    from infra.clients.ledger_accounts import LedgerAccepted, LedgerAccounts
    from infra.clients.object_store import ObjectStore
    from infra.clients.registry import Registry
    from infra.meters import LedgerMetrics
    from infra.settings import Port, Settings
    from infra.starting import enter
    from schemas.codec import BatchDecoder
    from streams.ledger.accepted import AcceptedWatch
    from streams.ledger.audit import Auditor
    from streams.ledger.places import Places
    from streams.ledger.watch import Watch, look_again_and_again

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings, metrics = Settings(), LedgerMetrics()
    logs.configure("ledger", settings.log_level)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell of every look at the collector
    start_http_server(settings.port(Port.LEDGER_METRICS), settings.bind)
    enter(KafkaCluster(settings).greet)
    session = enter(lambda: connect(settings))
    log, store = KafkaLog(settings), ObjectStore(settings)
    auditor = Auditor(log, store, BatchDecoder(Registry(settings).resolve))
    places = Places(log, store, LedgerAccounts(session), auditor)
    watch = Watch(places, metrics, settings.ledger_patience_seconds * 1000, _now)
    accepted = AcceptedWatch(CollectorCounters(settings), LedgerAccepted(session), _now)
    try:
        look_again_and_again((accepted.look, watch.look), metrics, stop.wait)
    finally:
        close(session)


if __name__ == "__main__":
    from infra.starting import in_log, one_line

    with one_line(in_log):
        app()
