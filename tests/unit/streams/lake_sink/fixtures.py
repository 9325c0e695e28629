"""A small world for the real sink: a fake Kafka, a fake store, two schemas of one record, invalid payloads."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastavro import parse_schema, schemaless_writer

from domain.lake.batching import Bounds
from domain.lake.ports import DeadLetters, Log, ObjectStore
from domain.lake.reading import read_objects, read_rows
from domain.metrics import Metrics
from schemas.errors import InvalidEvent
from schemas.framing import frame
from streams.lake_sink.dead_letter_limit import DeadLetterLimit
from streams.lake_sink.partition import Contract, World
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


@dataclass(frozen=True, slots=True)
class _Invalid:
    index: int
    error: InvalidEvent


@dataclass(frozen=True, slots=True)
class _Verdicts:
    invalid: list[_Invalid]
    schema_ids: list[int | None]


class Judge:
    """A decoder that finds whatever is not framed invalid."""

    def decode(self, record_name: str, payloads: Sequence[bytes | None]) -> _Verdicts:
        bad = [i for i, each in enumerate(payloads) if not each or each[0]]
        ids = [None if not each or each[0] else int.from_bytes(each[1:5]) for each in payloads]
        return _Verdicts([_Invalid(i, InvalidEvent("not_framed", f"no header for {record_name}")) for i in bad], ids)


def sink(
    log: Log,
    store: ObjectStore,
    letters: DeadLetters | None = None,
    metrics: Metrics | None = None,
    now: Callable[[], int] = lambda: 0,
    bounds: Bounds = Bounds(records=4, bytes=2**20, age_ms=5_000),  # noqa: B008 — frozen
    limit: int = 1_000,
) -> Sink:
    world = World(
        log=log,
        store=store,
        letters=letters or FakeKafka(),
        decoder=Judge(),
        resolve=SCHEMAS.__getitem__,
        metrics=FakeMetrics() if metrics is None else metrics,
        now=now,
        bounds=bounds,
    )
    return Sink({TOPIC: Contract("ui", SCHEMAS[1], DeadLetterLimit(limit))}, world)


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
