"""The stream workers as commands: settings -> clients -> run."""

import os
from typing import Annotated

import typer

from domain.clock import system_clock

# One process per core: polars must not start a thread for each core. It reads this on import.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# Each command imports what its worker needs: the others do not load it, and --help loads nothing.
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Worker = Annotated[int, typer.Option(min=0, help="Number of this worker, from 0.")]


@app.callback()
def workers() -> None:
    """Playhead's stream workers; the supervisor starts as many as the settings say."""


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
    """Playback events into figures, quality of experience, and the support view of members."""
    import asyncio

    asyncio.run(_quality(worker))


async def _history(worker: int) -> None:
    from infra.engines.kafka.publisher import RecordPublisher
    from infra.engines.registry import Registry
    from infra.stores.history_cassandra import LiveVH
    from schemas.batch import BatchDecoder
    from schemas.topics import COMPACTION_REQUESTS
    from streams.wiring import cassandra, start_worker
    from streams.workers.history import FETCH_WAIT_MS, CompactionTrigger, LiveWriter

    context = start_worker("history", worker)
    settings, (topic,) = context.settings, context.topics
    with cassandra(settings) as session:
        registry, live = Registry(settings), LiveVH(session)
        requests = RecordPublisher(settings, registry, COMPACTION_REQUESTS, "profile_id")
        trigger = CompactionTrigger(live, requests, settings.compaction_threshold, system_clock)
        writer = LiveWriter(BatchDecoder(registry.resolve), live, trigger, context.metrics)
        stream = context.stream_worker(FETCH_WAIT_MS)
        stream.subscribe(topic, writer.handle)
        await stream.run_until_signal()


async def _compaction(worker: int) -> None:
    from domain.history.compaction import Compactor
    from domain.history.rollup import RollUpRules
    from infra.engines.registry import Registry
    from infra.stores.compressed_vh_cassandra import CompressedVH
    from infra.stores.history_cassandra import LiveVH
    from schemas.batch import BatchDecoder
    from streams.wiring import cassandra, start_worker
    from streams.workers.compaction import FETCH_WAIT_MS, CompactionHandler

    context = start_worker("compaction", worker)
    settings, (topic,) = context.settings, context.topics
    with cassandra(settings) as session:
        rules = RollUpRules(
            keep_live=settings.compaction_keep_live,
            timeout_ms=settings.session_timeout_seconds * 1000,
            chunk_bytes=settings.chunk_bytes,
            max_live=settings.compaction_max_live,
        )
        compactor = Compactor(LiveVH(session), CompressedVH(session), context.metrics, rules, system_clock)
        handler = CompactionHandler(BatchDecoder(Registry(settings).resolve), compactor, context.metrics)
        stream = context.stream_worker(FETCH_WAIT_MS)
        stream.subscribe(topic, handler.handle)
        await stream.run_until_signal()


async def _quality(worker: int) -> None:
    from domain.quality.processor import QualityProcessor
    from infra.engines.kafka.admin import KafkaCluster
    from infra.engines.registry import Registry
    from infra.runtime.metrics.checkpointed import CheckpointedMetrics
    from infra.runtime.startup import wait_until_available
    from infra.stores.quality_cassandra import QualityCheckpoints
    from infra.stores.support_cassandra import SupportWriter
    from schemas.batch import BatchDecoder
    from streams.wiring import cassandra, start_worker
    from streams.workers.errors import ErrorHandler
    from streams.workers.quality import CHECKPOINT_S, FETCH_WAIT_MS, QualityHandler

    context = start_worker("quality", worker)
    settings, (playback, errors) = context.settings, context.topics
    with cassandra(settings) as session:
        cluster = KafkaCluster(settings)
        store = QualityCheckpoints(session, wait_until_available(lambda: cluster.topic_ids([playback]))[playback])
        decoder = BatchDecoder(Registry(settings).resolve)
        timeout_ms = settings.session_timeout_seconds * 1000
        processor = QualityProcessor(decoder, store, context.metrics, CheckpointedMetrics(), timeout_ms, system_clock)
        stream = context.stream_worker(FETCH_WAIT_MS, {playback: processor.committable_offset})
        quality = QualityHandler(playback, processor, stream, context.metrics)
        stream.subscribe(playback, quality.handle, concurrency=1)
        stream.subscribe(errors, ErrorHandler(decoder, SupportWriter(session), context.metrics).handle)
        stream.every(CHECKPOINT_S, quality.checkpoint)
        await stream.run_until_signal()


@app.command()
def lake(worker: Worker = 0) -> None:
    """Every record of every topic into the lake, exactly once. Exits 1 when it leaves a halted partition behind."""
    from domain.lake.batching import FlushLimits
    from infra.engines.kafka.consumer import KafkaConsumer
    from infra.engines.kafka.publisher import RecordPublisher
    from infra.engines.registry import Registry
    from infra.engines.s3 import ObjectStore, prove_first_put_wins
    from infra.runtime.startup import wait_until_available
    from schemas import avro
    from schemas.batch import BatchDecoder
    from schemas.topics import DEAD_LETTERS, TOPICS
    from streams.lake_sink.dead_letter_limit import DeadLetterLimit
    from streams.lake_sink.partition import SinkContext, TopicContract
    from streams.lake_sink.sink import Sink
    from streams.wiring import start_worker, stop_on_signals

    stop = stop_on_signals()
    at = start_worker("lake", worker)
    settings = at.settings
    store, registry = ObjectStore(settings), Registry(settings)
    wait_until_available(lambda: prove_first_put_wins(store))
    log = KafkaConsumer(settings, at.group, at.name, at.topics)
    context = SinkContext(
        log=log,
        store=store,
        dead_letters=RecordPublisher(settings, registry, DEAD_LETTERS, "dead_letter_id"),
        decoder=BatchDecoder(registry.resolve),
        resolve=registry.resolve,
        metrics=at.metrics,
        now=system_clock,
        limits=FlushLimits(
            records=settings.lake_flush_records,
            bytes=settings.lake_flush_bytes,
            age_ms=int(settings.lake_flush_seconds * 1000),
        ),
    )
    contracts = {
        topic.name: TopicContract(
            topic.record, avro.schema(topic.record), DeadLetterLimit(settings.dead_letter_limit), topic.compacted
        )
        for topic in TOPICS.values()
    }
    sink = Sink(contracts, context)
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

    from domain.ledger.collector_counts import CollectorCountRecorder
    from domain.ledger.succession import SuccessionLedger
    from infra.engines.registry import Registry
    from infra.ledger_sources import ledger_sources, title_ledger
    from infra.stores.collector_counters import CollectorCounters
    from infra.stores.ledger_cassandra import CollectorCounts
    from streams.reconciler.reconciler import Reconciler, run_forever
    from streams.reconciler.successions import SuccessionReconciler
    from streams.reconciler.titles import TitleReconciler
    from streams.wiring import cassandra, start_worker, stop_on_signals

    stop = stop_on_signals()
    at = start_worker("ledger", 0)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log every request to the collector
    with cassandra(at.settings) as session:
        settings = at.settings
        sources = ledger_sources(settings, session, Registry(settings))
        overdue_ms = settings.ledger_overdue_seconds * 1000
        counts = CollectorCountRecorder(CollectorCounters(settings), CollectorCounts(session), system_clock)
        jobs = [counts.run_once, Reconciler(sources, at.metrics, overdue_ms, system_clock).run_once]
        if "members" in settings.parts:
            jobs.append(SuccessionReconciler(SuccessionLedger(sources), at.metrics, system_clock).run_once)
        if "video" in settings.parts:
            titles = TitleReconciler(title_ledger(settings, sources), at.metrics, overdue_ms, system_clock)
            jobs.append(titles.run_once)
        run_forever(jobs, at.metrics, stop.wait)


if __name__ == "__main__":
    from infra.runtime.startup import exit_with_message, log_error

    with exit_with_message(log_error):
        app()
