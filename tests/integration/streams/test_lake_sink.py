"""The lake sink on real Kafka and S3, on its own topics: rivalled, cut off from its store, behind retention."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from uuid import uuid4

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from domain.clock import system_clock
from domain.lake.batching import FlushLimits
from domain.lake.reading import read_objects, read_rows
from domain.metrics import RETRIES
from infra.engines.kafka.config import client_config
from infra.engines.kafka.consumer import KafkaConsumer
from infra.engines.kafka.publisher import BulkProducer, RecordPublisher
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from schemas import avro
from schemas.batch import BatchDecoder
from schemas.codec import encode
from schemas.events import Playback
from schemas.framing import frame
from schemas.topics import DEAD_LETTERS
from streams.lake_sink.dead_letter_limit import DeadLetterLimit
from streams.lake_sink.partition import SinkContext, TopicContract
from streams.lake_sink.sink import Sink
from tests.integration.streams.lake import with_new_lake
from tests.support.builders import playback
from tests.support.fake_metrics import FakeMetrics
from tests.support.lake_chains import find_holes
from tests.support.pipeline import eventually


@pytest.fixture
def settings(stack: Settings) -> Settings:
    return with_new_lake(stack)


@pytest.fixture
def topic(settings: Settings) -> str:
    """A new topic of one partition. Its records are playback events."""
    name = f"lake.{uuid4()}"
    create(settings, name)
    return name


def create(settings: Settings, topic: str, partitions: int = 1) -> None:
    admin = AdminClient({**client_config(settings)})  # must outlive its futures
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result()


def events(settings: Settings, topic: str, count: int) -> list[Playback]:
    """Write this many events to the topic; they come back in the order of their seq."""
    schema_id = Registry(settings).ids()["playback"]
    made = [playback(event_id=str(uuid4()), seq=n) for n in range(count)]
    BulkProducer(settings).write([(topic, b"ml-%d" % event.seq, frame(schema_id, encode(event))) for event in made])
    return made


def make_sink(settings: Settings, topic: str, group: str, member: str) -> tuple[Sink, KafkaConsumer]:
    registry = Registry(settings)
    log = KafkaConsumer(settings, group, member, [topic])
    context = SinkContext(
        log=log,
        store=ObjectStore(settings),
        dead_letters=RecordPublisher(settings, registry, DEAD_LETTERS, "dead_letter_id"),
        decoder=BatchDecoder(registry.resolve),
        resolve=registry.resolve,
        metrics=FakeMetrics(),
        now=system_clock,
        limits=FlushLimits(records=500, bytes=2**20, age_ms=300),
    )
    return Sink({topic: TopicContract("playback", avro.schema("playback"), DeadLetterLimit(100))}, context), log


@dataclass
class Running:
    """A sink in a thread, and how many partitions it had after its last step."""

    sink: Sink
    partitions: int = 0


@contextmanager
def running(settings: Settings, topic: str, *groups: str, member: str = "lake-0") -> Iterator[list[Running]]:
    """Sinks of these groups; they stop gracefully at the end."""
    stop, made = Flag(), [make_sink(settings, topic, group, member) for group in groups]
    sinks = [Running(sink) for sink, _ in made]

    def work(running: Running) -> None:
        while not stop.is_set():
            running.sink.step()
            running.partitions = len(running.sink.opened)
        running.sink.drain()

    threads = [Thread(target=work, args=(each,)) for each in sinks]
    for thread in threads:
        thread.start()
    try:
        yield sinks
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for _, log in made:
            log.close()


def stored(settings: Settings, topic: str) -> list[tuple[int, str]]:
    """(offset, event id) of every row of a topic's newest incarnation, straight from the objects' bytes."""
    store = ObjectStore(settings)
    topic_id = TopicReader(settings).spans([topic])[0][1]
    objects = [o for o in read_objects(store, topic=topic) if o.chain.topic_id == topic_id]
    assert find_holes(objects) == []
    return [(offset, row["event_id"]) for o in objects for offset, row in read_rows(o, store.get(o.key))]


def spans(settings: Settings, topic: str) -> list[tuple[int, int, str]]:
    return [(o.start, o.end, o.kind) for o in read_objects(ObjectStore(settings), topic=topic)]


def end(settings: Settings, topic: str) -> int:
    return max((after for _, after, _ in spans(settings, topic)), default=0)


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
            eventually(lambda: (first.partitions, second.partitions) == (2, 2))
            made += events(settings, topic, 2_000)
            eventually(lambda: len(stored(settings, topic)) > 2_000)
        made += events(settings, topic, 2_000)
        eventually(lambda: len(stored(settings, topic)) == len(made))
    assert sorted(event_id for _, event_id in stored(settings, topic)) == sorted(event.event_id for event in made)


def test_a_recreated_topic_starts_a_new_chain(settings: Settings, topic: str) -> None:
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


def test_it_waits_for_a_store_that_is_away(settings: Settings, topic: str, local_stack: Stack) -> None:
    with running(settings, topic, topic) as (at_work,):
        made = events(settings, topic, 600)
        eventually(lambda: end(settings, topic) == 600)
        local_stack.stop("seaweedfs")
        made += events(settings, topic, 1_700)
        retried: FakeMetrics = at_work.sink._context.metrics  # type: ignore[assignment]
        eventually(lambda: retried.total(RETRIES) >= 3)
        local_stack.start("seaweedfs")
        eventually(lambda: end(settings, topic) == len(made))
    assert stored(settings, topic) == [(n, event.event_id) for n, event in enumerate(made)]
