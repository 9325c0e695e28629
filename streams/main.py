"""The stream workers as commands: settings -> clients -> run."""

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cassandra.cluster import Session

    from infra.settings import Settings
    from streams.engine.app import Broker
    from streams.ports import Metrics

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


async def _history(worker: int) -> None:
    from prometheus_client import start_http_server

    from infra import logs
    from infra.clients.cassandra import LiveVH, close
    from infra.clients.kafka_requests import KafkaCompactionRequests
    from infra.clients.registry import Registry
    from infra.meters import HistoryMetrics
    from infra.settings import Port, Settings
    from schemas.codec import BatchDecoder
    from streams.engine.app import build_app
    from streams.engine.history_agent import add_history_agent
    from streams.engine.worker import serve
    from streams.history.overgrown import Overgrown
    from streams.history.recording import Recorder
    from streams.pipeline import BY_NAME

    settings = Settings()
    logs.configure(f"history-{worker}", settings.log_level)
    process = BY_NAME["history"]
    group, (topic,) = process.group or "", process.topics
    metrics = HistoryMetrics(process.name, group)
    start_http_server(settings.port(Port.HISTORY_METRICS, worker), settings.bind)
    session = await _connected(settings, metrics)
    try:
        faust_app = build_app(group, _broker(settings), settings.folder / "faust" / f"history-{worker}", metrics)
        registry, live = Registry(settings), LiveVH(session)
        recorder = Recorder(BatchDecoder(registry.resolve), live, metrics)
        requests = KafkaCompactionRequests(settings, registry)
        overgrown = Overgrown(live, requests, settings.compaction_threshold, _now)
        add_history_agent(faust_app, topic, recorder, overgrown, metrics)
        await serve(faust_app)
    finally:
        close(session)


async def _compaction(worker: int) -> None:
    from prometheus_client import start_http_server

    from infra import logs
    from infra.clients.cassandra import LiveVH, close
    from infra.clients.compressed_vh import CompressedVH
    from infra.clients.registry import Registry
    from infra.meters import CompactionMetrics
    from infra.settings import Port, Settings
    from schemas.codec import BatchDecoder
    from streams.engine.app import build_app
    from streams.engine.compaction_agent import add_compaction_agent
    from streams.engine.worker import serve
    from streams.history.compaction import Compactor
    from streams.history.requested import Requests
    from streams.history.rollup import RollUpRules
    from streams.pipeline import BY_NAME

    settings = Settings()
    logs.configure(f"compaction-{worker}", settings.log_level)
    process = BY_NAME["compaction"]
    group, (topic,) = process.group or "", process.topics
    metrics = CompactionMetrics(process.name, group)
    start_http_server(settings.port(Port.COMPACTION_METRICS, worker), settings.bind)
    session = await _connected(settings, metrics)
    try:
        faust_app = build_app(group, _broker(settings), settings.folder / "faust" / f"compaction-{worker}", metrics)
        rules = RollUpRules(
            keep_live=settings.compaction_keep_live,
            timeout_ms=settings.session_timeout_seconds * 1000,
            chunk_bytes=settings.chunk_bytes,
        )
        compactor = Compactor(LiveVH(session), CompressedVH(session), metrics, rules, _now)
        requests = Requests(BatchDecoder(Registry(settings).resolve), metrics)
        add_compaction_agent(faust_app, topic, requests, compactor, metrics)
        await serve(faust_app)
    finally:
        close(session)


async def _connected(settings: "Settings", metrics: "Metrics") -> "Session":
    """Not crash: the supervisor gives up on a process that keeps dying, and Cassandra may be away for long."""
    import asyncio

    from infra.clients.cassandra import connect
    from streams.engine.retry import in_place

    return await in_place(
        lambda: asyncio.to_thread(connect, settings), lambda: False, lambda: metrics.retried("connect_cassandra")
    )


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
    from tenacity import Retrying, retry_if_exception_type, wait_random_exponential

    from infra import logs
    from infra.clients.kafka_consumer import KafkaConsumer
    from infra.clients.kafka_dead_letters import KafkaDeadLetters
    from infra.clients.object_store import ObjectStore, prove_first_put_wins
    from infra.clients.registry import Registry
    from infra.meters import LakeMetrics
    from infra.settings import Port, Settings
    from schemas import avro
    from schemas.codec import BatchDecoder
    from schemas.errors import TransientError
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
    retry = Retrying(retry=retry_if_exception_type(TransientError), wait=wait_random_exponential(max=5))
    store, registry = ObjectStore(settings), Registry(settings)
    retry(prove_first_put_wins, store)
    dead_letter_schema = retry(registry.ids)[DEAD_LETTERS.record]
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


if __name__ == "__main__":
    app()
