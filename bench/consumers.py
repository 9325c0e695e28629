"""The two consumers that are compared, each in its own process: ``python -m bench.consumers …``.

Each reads a topic from its start and prints one JSON line with its CPU and time from the first record to the last.
"""

import os

from domain.clock import system_clock
from domain.metrics import CONSUMED, HISTORY_RECORDS, LAST_PROCESSED, Counter, Gauge

os.environ["POLARS_MAX_THREADS"] = "1"

import asyncio
import io
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

import fastavro
from confluent_kafka import Consumer

from infra.engines.cassandra import close, connect
from infra.engines.kafka.config import client_config
from infra.engines.kafka.publisher import RecordPublisher
from infra.engines.registry import Registry
from infra.runtime import logs
from infra.runtime.metrics.prometheus import PrometheusMetrics
from infra.runtime.settings import Settings
from infra.runtime.startup import reduce_gc
from infra.stores.history_cassandra import LiveVH
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.errors import InvalidEvent
from schemas.events import ViewingRecord
from schemas.framing import HEADER_BYTES
from schemas.topics import COMPACTION_REQUESTS
from streams.runtime.worker import Broker, StreamWorker
from streams.workers.history import FETCH_WAIT_MS, CompactionTrigger, LiveWriter


class Meter:
    """CPU and wall-clock time of this process between the first record and the last."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._seen = 0
        self._cpu = self._wall = 0.0

    def saw(self, records: int) -> bool:
        """True once all records have been seen."""
        self._seen += records
        return self._seen >= self._expected

    def start(self) -> None:
        if not self._wall:
            self._cpu, self._wall = process_time(), perf_counter()

    def report(self, written: int) -> None:
        cpu, wall = process_time() - self._cpu, perf_counter() - self._wall
        print(json.dumps({"events": self._seen, "cpu_s": cpu, "wall_s": wall, "written": written}))


class NoStore:
    """Accepts everything and does nothing, to measure the work before the store."""

    async def write(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:  # noqa: ARG002
        return []

    async def part(self, profile_id: str, limit: int, before: str | None = None) -> Any:
        raise NotImplementedError

    async def count(self, profile_id: str, limit: int) -> int:  # noqa: ARG002
        return 0


class MeteredMetrics(PrometheusMetrics):
    """Starts the meter with the first batch, ends the worker after the last."""

    def __init__(self, meter: Meter, done: asyncio.Event) -> None:
        super().__init__("bench", "bench")
        self._meter = meter
        self._done = done
        self._all_taken = False
        self._unfinished = 0
        self.written = 0

    def increment(self, counter: Counter, amount: float = 1, **labels: str | int) -> None:
        super().increment(counter, amount, **labels)
        if counter is CONSUMED:
            self._meter.start()
            self._unfinished += 1
            self._all_taken = self._meter.saw(int(amount))
        elif counter is HISTORY_RECORDS:
            self.written += int(amount)

    def set(self, gauge: Gauge, value: float | None, **labels: str | int) -> None:
        super().set(gauge, value, **labels)
        if gauge is LAST_PROCESSED:
            self._unfinished -= 1
            if self._all_taken and not self._unfinished:
                self._meter.report(self.written)
                self._done.set()


async def faust_worker(settings: Settings, topic: str, events: int, store: NoStore | LiveVH) -> None:
    """The history worker with a given store."""
    reduce_gc()
    done = asyncio.Event()
    metrics = MeteredMetrics(Meter(events), done)
    folder = Path(settings.folder / "bench")
    worker = StreamWorker(f"bench.{uuid4()}", Broker(settings.kafka), folder, metrics, fetch_wait_ms=FETCH_WAIT_MS)
    registry = Registry(settings)
    requests = RecordPublisher(settings, registry, COMPACTION_REQUESTS, "profile_id")
    trigger = CompactionTrigger(store, requests, settings.compaction_threshold, system_clock)
    writer = LiveWriter(BatchDecoder(registry.resolve), store, trigger, metrics)
    worker.subscribe(topic, writer.handle)
    await worker.run_until(done.wait())


def plain_consumer(settings: Settings, topic: str, events: int) -> None:
    """A consumer written by hand: confluent-kafka, fastavro, a dict. It checks no rule of the contract."""
    schema = fastavro.parse_schema(avro.physical(avro.schema("playback")))
    consumer = Consumer({**client_config(settings), "group.id": f"bench.{uuid4()}", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    meter = Meter(events)
    written = 0
    finished = False
    while not finished:
        messages = consumer.consume(10_000, timeout=0.5)
        if messages:
            meter.start()
        newest: dict[tuple[str, str], tuple[int, int, dict[str, Any]]] = {}
        for message in messages:
            event: Any = fastavro.schemaless_reader(io.BytesIO((message.value() or b"")[HEADER_BYTES:]), schema, None)
            key = event["profile_id"], event["playback_session_id"]
            order = event["session_started_at"] * 1000 + event["seq"], event["received_at"]
            if key not in newest or newest[key][:2] < order:
                newest[key] = *order, event
        written += len(newest)
        finished = meter.saw(len(messages))
    meter.report(written)
    consumer.close()


def main(kind: str, topic: str, events: int) -> None:
    logs.configure("bench", "WARNING")  # stdout is for the report alone
    settings = Settings()
    if kind == "plain":
        return plain_consumer(settings, topic, events)
    worker = partial(faust_worker, settings, topic, events)
    if kind == "faust":
        return asyncio.run(worker(NoStore()))
    session = connect(settings)
    try:
        return asyncio.run(worker(LiveVH(session)))
    finally:
        close(session)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
