"""Fixtures for the real sink: a fake Kafka, a fake store, two schemas of one record, invalid payloads."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from fastavro import parse_schema, schemaless_writer

from domain.lake.batching import FlushLimits
from domain.lake.ports import DeadLetters, Log, ObjectStore
from domain.lake.reading import read_objects, read_rows
from domain.metrics import Metrics
from schemas.batch import DecodedBatch, Invalid
from schemas.errors import InvalidEvent
from schemas.framing import frame
from streams.lake_sink.dead_letter_limit import DeadLetterLimit
from streams.lake_sink.partition import SinkContext, TopicContract
from streams.lake_sink.sink import Sink
from tests.support.fake_kafka import FakeKafka, FakeLakeLog
from tests.support.fake_metrics import FakeMetrics
from tests.support.fakes import FakeObjectStore

TOPIC = "playhead.ui"
AT: tuple[str, int] = (TOPIC, 0)
_N = {"name": "n", "type": "long"}
_NOTE = {"name": "note", "type": "string", "default": "none"}
SCHEMAS: dict[int, dict[str, Any]] = {
    1: {"type": "record", "name": "Ui", "fields": [_N]},
    2: {"type": "record", "name": "Ui", "fields": [_N, _NOTE]},
}
INVALID = b"\xffnot avro"


def datum(n: int, schema_id: int = 1) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(json.loads(json.dumps(SCHEMAS[schema_id]))), {"n": n, "note": "some"})
    return out.getvalue()


def payload(n: int, schema_id: int = 1) -> bytes:
    return frame(schema_id, datum(n, schema_id))


class FakeDecoder:
    """Everything that is not framed is invalid."""

    def decode(self, record: str, payloads: Sequence[bytes | None]) -> DecodedBatch:
        bad = [i for i, each in enumerate(payloads) if not each or each[0]]
        ids = [None if not each or each[0] else int.from_bytes(each[1:5]) for each in payloads]
        invalid = [Invalid(i, InvalidEvent("not_framed", f"no header for {record}")) for i in bad]
        return DecodedBatch(pl.DataFrame(), invalid, ids)


def sink(
    log: Log,
    store: ObjectStore,
    dead_letters: DeadLetters | None = None,
    metrics: Metrics | None = None,
    now: Callable[[], int] = lambda: 0,
    limits: FlushLimits = FlushLimits(records=4, bytes=2**20, age_ms=5_000),  # noqa: B008 — frozen
    limit: int = 1_000,
    compacted: bool = False,
) -> Sink:
    context = SinkContext(
        log=log,
        store=store,
        dead_letters=dead_letters or FakeKafka(),
        decoder=FakeDecoder(),
        resolve=SCHEMAS.__getitem__,
        metrics=FakeMetrics() if metrics is None else metrics,
        now=now,
        limits=limits,
    )
    return Sink({TOPIC: TopicContract("ui", SCHEMAS[1], DeadLetterLimit(limit), compacted)}, context)


def kafka_with(*payloads: bytes | None) -> tuple[FakeKafka, FakeLakeLog]:
    kafka = FakeKafka()
    kafka.create(TOPIC)
    kafka.append(AT, *payloads)
    log = FakeLakeLog(kafka)
    log.assign(AT)
    return kafka, log


def spans_of(store: FakeObjectStore) -> list[tuple[int, int, int, int, str]]:
    return [(o.start, o.end, o.records, o.dead_letters, o.kind) for o in read_objects(store)]


def rows_of(store: FakeObjectStore) -> list[tuple[int, int]]:
    """(offset, n) of every row in the store."""
    return [(offset, row["n"]) for o in read_objects(store) for offset, row in read_rows(o, store.get(o.key))]
