"""The stream workers as commands: settings -> clients -> run."""

import os
from typing import Annotated

import typer

# One process per core: polars must not start a thread for each of them. It reads this when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# What a worker needs is imported by its command: the others need not load it, and --help nothing.
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
    from infra.engines.kafka.requests import KafkaCompactionRequests
    from infra.engines.registry import Registry
    from infra.runtime.metrics.recorders import HistoryMetrics
    from infra.stores.history_cassandra import LiveVH
    from schemas.codec import BatchDecoder
    from streams.runtime.app import build_app
    from streams.runtime.worker import serve
    from streams.wiring import cassandra, now, start_worker
    from streams.workers.compaction_trigger import CompactionTrigger
    from streams.workers.history import FETCH_WAIT_MS, add_history_agent
    from streams.workers.live_writer import LiveWriter

    at = start_worker("history", worker, HistoryMetrics)
    (topic,) = at.topics
    with cassandra(at.settings) as session:
        registry, live = Registry(at.settings), LiveVH(session)
        recorder = LiveWriter(BatchDecoder(registry.resolve), live, at.metrics)
        requests = KafkaCompactionRequests(at.settings, registry)
        overgrown = CompactionTrigger(live, requests, at.settings.compaction_threshold, now)
        faust_app = build_app(at.group, at.broker, at.folder, at.metrics, fetch_wait_ms=FETCH_WAIT_MS)
        add_history_agent(faust_app, topic, recorder, overgrown, at.metrics)
        await serve(faust_app)


async def _compaction(worker: int) -> None:
    from domain.history.compaction import Compactor
    from domain.history.rollup import RollUpRules
    from infra.engines.registry import Registry
    from infra.runtime.metrics.recorders import CompactionMetrics
    from infra.stores.compressed_vh_cassandra import CompressedVH
    from infra.stores.history_cassandra import LiveVH
    from schemas.codec import BatchDecoder
    from streams.runtime.app import build_app
    from streams.runtime.worker import serve
    from streams.wiring import cassandra, now, start_worker
    from streams.workers.compaction import FETCH_WAIT_MS, add_compaction_agent
    from streams.workers.compaction_requests import Requests

    at = start_worker("compaction", worker, CompactionMetrics)
    (topic,) = at.topics
    with cassandra(at.settings) as session:
        rules = RollUpRules(
            keep_live=at.settings.compaction_keep_live,
            timeout_ms=at.settings.session_timeout_seconds * 1000,
            chunk_bytes=at.settings.chunk_bytes,
        )
        compactor = Compactor(LiveVH(session), CompressedVH(session), at.metrics, rules, now)
        requests = Requests(BatchDecoder(Registry(at.settings).resolve), at.metrics)
        faust_app = build_app(at.group, at.broker, at.folder, at.metrics, fetch_wait_ms=FETCH_WAIT_MS)
        add_compaction_agent(faust_app, topic, requests, compactor, at.metrics)
        await serve(faust_app)


async def _quality(worker: int) -> None:
    from domain.quality.processor import QualityProcessor
    from infra.engines.kafka.admin import KafkaCluster
    from infra.engines.registry import Registry
    from infra.runtime.metrics.quality_recorders import QualityRecorder
    from infra.runtime.startup import enter
    from infra.stores.quality_cassandra import QualityCheckpoints
    from infra.stores.support_cassandra import SupportWriter
    from schemas.codec import BatchDecoder
    from streams.runtime.app import build_app
    from streams.runtime.worker import serve
    from streams.wiring import cassandra, now, start_worker
    from streams.workers.error_reports import ErrorReports
    from streams.workers.errors import add_error_agent
    from streams.workers.quality import FETCH_WAIT_MS, add_quality_agent

    at = start_worker("quality", worker, QualityRecorder)
    playback, errors = at.topics
    with cassandra(at.settings) as session:
        cluster = KafkaCluster(at.settings)
        store = QualityCheckpoints(session, enter(lambda: cluster.topic_ids([playback]))[playback])
        decoder = BatchDecoder(Registry(at.settings).resolve)
        processor = QualityProcessor(decoder, store, at.metrics, at.settings.session_timeout_seconds * 1000, now)
        durable = {playback: processor.committable_offset}
        faust_app = build_app(at.group, at.broker, at.folder, at.metrics, fetch_wait_ms=FETCH_WAIT_MS, durable=durable)
        add_quality_agent(faust_app, playback, processor, at.metrics)
        add_error_agent(faust_app, errors, ErrorReports(decoder, SupportWriter(session), at.metrics), at.metrics)
        await serve(faust_app)


@app.command()
def lake(worker: Worker = 0) -> None:
    """Every record of every topic into the lake, exactly once. Exits 1 when it leaves a halted partition behind."""
    from domain.lake.batching import Bounds
    from infra.engines.kafka.consumer import KafkaConsumer
    from infra.engines.kafka.dead_letters import KafkaDeadLetters
    from infra.engines.registry import Registry
    from infra.engines.s3 import ObjectStore, prove_first_put_wins
    from infra.runtime.metrics.recorders import LakeMetrics
    from infra.runtime.startup import enter
    from schemas import avro
    from schemas.codec import BatchDecoder
    from schemas.topics import DEAD_LETTERS, TOPICS
    from streams.lake_sink.dead_letter_limit import DeadLetterLimit
    from streams.lake_sink.partition import Contract, World
    from streams.lake_sink.sink import Sink
    from streams.wiring import now, start_worker, stop_on_signals

    stop = stop_on_signals()
    at = start_worker("lake", worker, LakeMetrics)
    settings = at.settings
    store, registry = ObjectStore(settings), Registry(settings)
    enter(lambda: prove_first_put_wins(store))
    dead_letter_schema = enter(registry.ids)[DEAD_LETTERS.record]
    log = KafkaConsumer(settings, at.group, at.name, at.topics)
    world = World(
        log=log,
        store=store,
        letters=KafkaDeadLetters(settings, dead_letter_schema),
        decoder=BatchDecoder(registry.resolve),
        resolve=registry.resolve,
        metrics=at.metrics,
        now=now,
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

    from domain.ledger.collector_counts import AcceptedWatch
    from infra.ledger_sources import ledger_places
    from infra.runtime.metrics.recorders import LedgerMetrics
    from infra.stores.collector_counters import CollectorCounters
    from infra.stores.ledger_cassandra import LedgerAccepted
    from streams.reconciler.reconciler import Watch, look_again_and_again
    from streams.wiring import cassandra, now, start_worker, stop_on_signals

    stop = stop_on_signals()
    at = start_worker("ledger", 0, LedgerMetrics)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell of every look at the collector
    with cassandra(at.settings) as session:
        watch = Watch(ledger_places(at.settings, session), at.metrics, at.settings.ledger_overdue_seconds * 1000, now)
        accepted = AcceptedWatch(CollectorCounters(at.settings), LedgerAccepted(session), now)
        look_again_and_again((accepted.look, watch.look), at.metrics, stop.wait)


if __name__ == "__main__":
    from infra.runtime.startup import in_log, one_line

    with one_line(in_log):
        app()
