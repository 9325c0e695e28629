"""The lake sink on real Kafka and S3: killed, rivalled, cut off from its store, overtaken by retention."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from sys import executable
from threading import Event as Flag
from threading import Thread
from uuid import uuid4

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from infra.clients.kafka import client_config
from infra.clients.kafka_bulk import BulkProducer
from infra.clients.kafka_consumer import KafkaConsumer
from infra.clients.kafka_dead_letters import KafkaDeadLetters
from infra.clients.kafka_log import KafkaLog
from infra.clients.object_store import ObjectStore
from infra.clients.registry import Registry
from infra.local.stack import Stack
from infra.local.workers import environment
from infra.settings import Settings
from schemas import avro
from schemas.codec import BatchDecoder, decode, encode
from schemas.events import CompactionRequest, DeadLetter, Playback
from schemas.framing import frame, unframe
from schemas.topics import DEAD_LETTERS, TOPICS
from streams.dead_letter import DeadLetterLimit
from streams.lake.names import Chain
from streams.lake.partition import Contract, World
from streams.lake.reading import holes, read_objects, read_rows
from streams.lake.sink import Sink
from streams.lake.spans import Bounds
from tests.builders import EVENTS, T0, playback
from tests.unit.streams.lake.world import Counting

Row = tuple[str, int, int]
"""Topic, partition, offset."""


@pytest.fixture
def settings(stack: Settings) -> Settings:
    """A bucket of its own: its lake begins empty, so a sink reads every topic from its first record."""
    settings = stack.model_copy(update={"lake_bucket": f"lake-{uuid4()}", "lake_flush_seconds": 1.0})
    ObjectStore(settings).ensure_bucket()
    return settings


@pytest.fixture
def topic(settings: Settings) -> str:
    """A topic of one partition that nobody else knows; its records are playback events."""
    name = f"lake.{uuid4()}"
    create(settings, name)
    return name


def create(settings: Settings, topic: str, partitions: int = 1) -> None:
    admin = AdminClient({**client_config(settings)})  # must outlive its futures
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result()


def events(settings: Settings, topic: str, count: int) -> list[Playback]:
    """Write so many events to the topic; they come back in the order of their seq."""
    schema_id = Registry(settings).ids()["playback"]
    made = [playback(event_id=str(uuid4()), seq=n) for n in range(count)]
    BulkProducer(settings).write([(topic, b"ml-%d" % event.seq, frame(schema_id, encode(event))) for event in made])
    return made


def make_sink(settings: Settings, topic: str, group: str, member: str) -> tuple[Sink, KafkaConsumer]:
    registry = Registry(settings)
    log = KafkaConsumer(settings, group, member, [topic])
    world = World(
        log=log,
        store=ObjectStore(settings),
        letters=KafkaDeadLetters(settings, registry.ids()["dead_letter"]),
        decoder=BatchDecoder(registry.resolve),
        resolve=registry.resolve,
        metrics=Counting(),
        now=lambda: time.time_ns() // 1_000_000,
        bounds=Bounds(records=500, bytes=2**20, age_ms=300),
    )
    return Sink({topic: Contract("playback", avro.schema("playback"), DeadLetterLimit(100))}, world), log


@contextmanager
def running(settings: Settings, topic: str, *groups: str, member: str = "lake-0") -> Iterator[list[Sink]]:
    """Sinks of these groups at work in threads; they stop gracefully at the end."""
    stop, made = Flag(), [make_sink(settings, topic, group, member) for group in groups]

    def work(sink: Sink) -> None:
        while not stop.is_set():
            sink.step()
        sink.drain()

    threads = [Thread(target=work, args=(sink,)) for sink, _ in made]
    for thread in threads:
        thread.start()
    try:
        yield [sink for sink, _ in made]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for _, log in made:
            log.close()


def eventually(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def stored(settings: Settings, topic: str) -> list[tuple[int, str]]:
    """(offset, event id) of every row of a topic's newest incarnation, straight from the objects' bytes."""
    store = ObjectStore(settings)
    topic_id = KafkaLog(settings).spans([topic])[0][1]
    objects = [o for o in read_objects(store, topic=topic) if o.chain.topic_id == topic_id]
    assert holes(objects) == []
    return [(offset, row["event_id"]) for o in objects for offset, row in read_rows(o, store.get(o.key))]


def spans(settings: Settings, topic: str) -> list[tuple[int, int, str]]:
    return [(o.start, o.end, o.kind) for o in read_objects(ObjectStore(settings), topic=topic)]


def end(settings: Settings, topic: str) -> int:
    return max((after for _, after, _ in spans(settings, topic)), default=0)


# The worker as a process, on every topic


@contextmanager
def worker(settings: Settings, log: Path) -> Iterator[Popen[bytes]]:
    env = {**os.environ, **environment(settings), "PLAYHEAD_LAKE_BUCKET": settings.lake_bucket}
    env |= {"PLAYHEAD_LAKE_FLUSH_SECONDS": "1", "PLAYHEAD_LAKE_FLUSH_RECORDS": "500"}
    with log.open("ab") as out, Popen([executable, "-m", "streams.main", "lake"], env=env, stderr=out) as process:
        try:
            yield process
        finally:
            process.kill()


def in_kafka(settings: Settings) -> dict[Row, bytes | None]:
    kafka = KafkaLog(settings)
    return {
        (topic, partition, offset): value
        for topic, _, partition, begin, after in kafka.spans(TOPICS)
        for batch in kafka.read(topic, partition, begin, after)
        for offset, value in batch
    }


def lag(settings: Settings) -> int:
    """Records of all topics that the lake does not hold yet."""
    held = {o.chain: o.end for o in read_objects(ObjectStore(settings))}
    return sum(after - held.get(chain, 0) for chain, after in log_ends(settings).items())


def log_ends(settings: Settings) -> dict[Chain, int]:
    """Where the topics that exist now end; other tests leave objects of topics that are gone."""
    spans = KafkaLog(settings).spans(TOPICS)
    return {Chain(topic, topic_id, partition): after for topic, topic_id, partition, _, after in spans}


def test_every_record_of_every_topic_is_stored_once_though_the_worker_is_killed(
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
    for _ in range(3):
        send(4_000)
        before = end(settings, "playhead.playback")
        with worker(settings, log) as process:
            eventually(lambda before=before: end(settings, "playhead.playback") > before)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert lag(settings) > 0
    with worker(settings, log) as process:
        eventually(lambda: lag(settings) == 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0

    records = in_kafka(settings)
    store = ObjectStore(settings)
    chains = log_ends(settings)
    objects = [o for o in read_objects(store) if o.chain in chains]
    assert holes(objects) == []
    rows = [
        ((o.chain.topic, o.chain.partition, offset), row)
        for o in objects
        for offset, row in read_rows(o, store.get(o.key))
    ]
    letters = [
        decode("dead_letter", unframe(value or b"")[1])
        for (topic, _, _), value in records.items()
        if topic == DEAD_LETTERS.name
    ]
    died = {
        (one.topic, one.partition, one.offset): one
        for one in letters
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


# Sinks of their own on a topic of their own


def test_two_competing_sinks_store_each_record_once(settings: Settings, topic: str) -> None:
    with running(settings, topic, f"{topic}-one", f"{topic}-two"):
        made = [event for _ in range(10) for event in events(settings, topic, 700)]
        eventually(lambda: end(settings, topic) == len(made))
    assert stored(settings, topic) == [(n, event.event_id) for n, event in enumerate(made)]


def test_a_second_worker_takes_partitions_over_and_gives_them_back(settings: Settings) -> None:
    topic = f"lake.{uuid4()}"
    create(settings, topic, partitions=4)
    made = []
    with running(settings, topic, topic) as (first,):
        made += events(settings, topic, 2_000)
        with running(settings, topic, topic, member="lake-1") as (second,):
            eventually(lambda: len(first.opened) == 2 and len(second.opened) == 2)
            made += events(settings, topic, 2_000)
            eventually(lambda: len(stored(settings, topic)) > 2_000)
        made += events(settings, topic, 2_000)
        eventually(lambda: len(stored(settings, topic)) == len(made))
    assert sorted(event_id for _, event_id in stored(settings, topic)) == sorted(event.event_id for event in made)


def test_a_recreated_topic_has_a_chain_of_its_own(settings: Settings, topic: str) -> None:
    admin = AdminClient({**client_config(settings)})
    with running(settings, topic, topic):
        first = events(settings, topic, 300)
        eventually(lambda: end(settings, topic) == len(first))
        admin.delete_topics([topic])[topic].result()
        eventually(lambda: topic not in admin.list_topics().topics)
        create(settings, topic)
        again = events(settings, topic, 800)
        eventually(lambda: stored(settings, topic) == [(n, event.event_id) for n, event in enumerate(again)])
    chains = {o.chain for o in read_objects(ObjectStore(settings), topic=topic)}
    assert len(chains) == 2


def test_records_that_retention_took_first_leave_a_gap_object(settings: Settings, topic: str) -> None:
    with running(settings, topic, topic):
        before = events(settings, topic, 300)
        eventually(lambda: end(settings, topic) == 300)
    events(settings, topic, 400)
    place = TopicPartition(topic, 0, 650)
    admin = AdminClient({**client_config(settings)})
    admin.delete_records([place])[place].result()
    with running(settings, topic, topic):
        eventually(lambda: end(settings, topic) == 700)
        after = events(settings, topic, 50)
        eventually(lambda: end(settings, topic) == 750)
    assert (300, 650, "gap") in spans(settings, topic)
    rows = stored(settings, topic)
    assert [offset for offset, _ in rows] == [*range(300), *range(650, 750)]
    assert [event_id for _, event_id in rows[:300]] == [event.event_id for event in before]
    assert [event_id for _, event_id in rows[-50:]] == [event.event_id for event in after]


def test_a_store_that_is_away_for_a_while_is_waited_for(settings: Settings, topic: str, local_stack: Stack) -> None:
    with running(settings, topic, topic) as (sink,):
        made = events(settings, topic, 600)
        eventually(lambda: end(settings, topic) == 600)
        local_stack.stop("seaweedfs")
        made += events(settings, topic, 1_700)
        retried: Counting = sink._world.metrics  # type: ignore[assignment]
        eventually(lambda: retried["retried"] >= 3)
        local_stack.start("seaweedfs")
        eventually(lambda: end(settings, topic) == len(made))
    assert stored(settings, topic) == [(n, event.event_id) for n, event in enumerate(made)]
