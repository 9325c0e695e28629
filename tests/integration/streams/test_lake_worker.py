"""The lake sink as a process, on every topic of a real Kafka: killed again and again, it stores everything once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from sys import executable
from uuid import uuid4

import pytest

from domain.lake import keys
from domain.lake.keys import Chain
from domain.lake.reading import read_objects, read_rows
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local.workers import environment
from infra.runtime.settings import Settings
from schemas.codec import decode, encode
from schemas.events import CompactionRequest, DeadLetter, Playback
from schemas.framing import frame, unframe
from schemas.topics import DEAD_LETTERS
from tests.integration.streams.lake import lag, log_ends, with_new_lake
from tests.support.builders import EVENTS, T0, playback
from tests.support.lake_chains import find_holes
from tests.support.pipeline import answered, eventually, in_kafka


@pytest.fixture
def settings(stack: Settings) -> Settings:
    return with_new_lake(stack)


@contextmanager
def worker(settings: Settings, log: Path) -> Iterator[Popen[bytes]]:
    env = {**os.environ, **environment(settings), "PLAYHEAD_LAKE_BUCKET": settings.lake_bucket}
    env |= {"PLAYHEAD_LAKE_FLUSH_SECONDS": "1", "PLAYHEAD_LAKE_FLUSH_RECORDS": "500"}
    with log.open("ab") as out, Popen([executable, "-m", "streams.main", "lake"], env=env, stderr=out) as process:
        try:
            yield process
        finally:
            process.kill()


def count_objects(settings: Settings) -> int:
    return sum(1 for _ in ObjectStore(settings).list(keys.ROOT))


def test_every_record_of_every_topic_is_stored_once_even_if_the_worker_is_killed(
    settings: Settings, tmp_path: Path
) -> None:
    registry = Registry(settings)
    ids = registry.ids()
    body = encode(playback())
    corrupt = {
        b"": "not_framed",
        b"no avro at all": "not_framed",
        frame(ids["ui"], body): "wrong_record",
        frame(2**31 - 1, body): "unknown_schema",
        frame(2**32 - 1, body): "unknown_schema",
        frame(ids["playback"], body[:-3]): "malformed",
        frame(ids["playback"], body + b"\0"): "malformed",
        frame(ids["playback"], encode(playback(watched_ms=-1))): "out_of_range",
    }
    bulk = BulkProducer(settings)
    log = tmp_path / "lake.log"

    def send(count: int) -> None:
        framed = [frame(ids["playback"], encode(playback(event_id=str(uuid4()), seq=n))) for n in range(count)]
        bulk.write([("playhead.playback", b"%d" % n, value) for n, value in enumerate(framed)])

    request = CompactionRequest(profile_id="ml-1", requested_at=T0, live_records=101)
    bulk.write([("playhead.compaction_requests", b"ml-1", frame(ids["compaction_request"], encode(request)))])
    bulk.write([(f"playhead.{name}", b"k", frame(ids[name], encode(make()))) for name, make in EVENTS.items()])
    bulk.write([("playhead.playback", b"k%d" % n, value) for n, value in enumerate(corrupt)])

    def kill_after_an_object() -> bool:
        """Whether some of what was sent had no object yet."""
        send(4_000)
        before = count_objects(settings)
        with worker(settings, log) as process:
            eventually(lambda: count_objects(settings) > before)
            process.send_signal(signal.SIGKILL)
            process.wait()
        return answered(lambda: lag(settings)) > 0

    kills = 0
    while kills < 3:
        kills += kill_after_an_object()
    with worker(settings, log) as process:
        eventually(lambda: lag(settings) == 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0

    records = in_kafka(settings)
    store = ObjectStore(settings)
    chains = log_ends(settings)
    objects = [o for o in read_objects(store) if o.chain in chains]
    assert find_holes(objects) == []
    rows = [
        ((o.chain.topic, o.chain.partition, offset), row)
        for o in objects
        for offset, row in read_rows(o, store.get(o.key))
    ]
    dead_letters = [
        decode("dead_letter", unframe(value or b"")[1])
        for (topic, _, _), value in records.items()
        if topic == DEAD_LETTERS.name
    ]
    died = {
        (one.topic, one.partition, one.offset): one
        for one in dead_letters
        if isinstance(one, DeadLetter) and Chain(one.topic or "", one.topic_id or "", one.partition or 0) in chains
    }
    assert len(rows) == len(dict(rows)), "no record is stored twice"
    assert dict(rows).keys() | died.keys() == records.keys(), "every record is stored or dead"
    assert not dict(rows).keys() & died.keys()
    assert {(one.value, one.error_class) for one in died.values()} >= set(corrupt.items())
    assert all(one.value == records[place] for place, one in died.items())  # type: ignore[index]
    for (topic, partition, offset), row in rows:
        if topic == "playhead.playback":
            schema_id, datum = unframe(records[topic, partition, offset] or b"")
            event = decode("playback", datum, registry.resolve(schema_id))
            assert isinstance(event, Playback)
            assert row["event_id"] == event.event_id
