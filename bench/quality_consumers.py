"""The two compared consumers, each in its own process: ``python -m bench.quality_consumers …``."""

import os

from domain.metrics import CONSUMED, LAST_PROCESSED, Counter, Gauge

os.environ["POLARS_MAX_THREADS"] = "1"

import asyncio
import io
import sys
from uuid import uuid4

import fastavro
from confluent_kafka import Consumer

from bench.consumers import Meter
from domain.quality.processor import QualityProcessor
from infra.engines.cassandra import close, connect
from infra.engines.kafka.config import client_config
from infra.engines.registry import Registry
from infra.runtime import logs
from infra.runtime.metrics.checkpointed import CheckpointedMetrics
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import reduce_gc
from infra.stores.quality_cassandra import QualityCheckpoints
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.framing import HEADER_BYTES
from streams.runtime.worker import Broker, StreamWorker
from streams.workers.quality import CHECKPOINT_S, FETCH_WAIT_MS, QualityHandler

FOREVER = 1 << 60


class MeteredMetrics(PrometheusMetrics):
    """Starts the meter with the first batch and stops it with the last."""

    def __init__(self, meter: Meter) -> None:
        super().__init__("bench", "bench")
        self._meter = meter
        self._all_taken = False
        self.over = asyncio.Event()

    def increment(self, counter: Counter, amount: float = 1, **labels: str | int) -> None:
        super().increment(counter, amount, **labels)
        if counter is CONSUMED:
            self._meter.start()
            self._all_taken = self._meter.saw(int(amount))

    def set(self, gauge: Gauge, value: float | None, **labels: str | int) -> None:
        super().set(gauge, value, **labels)
        if gauge is LAST_PROCESSED and self._all_taken:
            self.over.set()


async def quality_worker(settings: Settings, topic: str, events: int) -> None:
    """The quality worker itself, up to its last checkpoint."""
    reduce_gc()
    meter = Meter(events)
    metrics = MeteredMetrics(meter)
    session = connect(settings)
    store = QualityCheckpoints(session, str(uuid4()))
    timeout_ms = settings.session_timeout_seconds * 1000
    decoder = BatchDecoder(Registry(settings).resolve)
    processor = QualityProcessor(decoder, store, metrics, CheckpointedMetrics(), timeout_ms, lambda: FOREVER)
    worker = StreamWorker(
        f"bench.{uuid4()}",
        Broker(settings.kafka),
        settings.folder / "bench",
        metrics,
        fetch_wait_ms=FETCH_WAIT_MS,
        committable_offset={topic: processor.committable_offset},
    )
    handler = QualityHandler(topic, processor, worker, metrics)
    worker.subscribe(topic, handler.handle, concurrency=1)
    worker.every(CHECKPOINT_S, handler.checkpoint)

    async def all_stored() -> None:
        await metrics.over.wait()
        await processor.checkpoint()
        meter.report(0)

    await worker.run_until(all_stored())
    close(session)


def decoding_consumer(settings: Settings, topic: str, events: int) -> None:
    """What one would write by hand, without doing anything with what it reads; it checks no rule of the contract."""
    schema = fastavro.parse_schema(avro.physical(avro.schema("playback")))
    consumer = Consumer({**client_config(settings), "group.id": f"bench.{uuid4()}", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    meter = Meter(events)
    finished = False
    while not finished:
        messages = consumer.consume(10_000, timeout=0.5)
        if messages:
            meter.start()
        for message in messages:
            fastavro.schemaless_reader(io.BytesIO((message.value() or b"")[HEADER_BYTES:]), schema, None)
        finished = meter.saw(len(messages))
    meter.report(0)
    consumer.close()


if __name__ == "__main__":
    logs.configure("bench", "WARNING")  # stdout is for the report alone
    kind, topic, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "decode":
        decoding_consumer(Settings(), topic, events)
    else:
        asyncio.run(quality_worker(Settings(), topic, events))
