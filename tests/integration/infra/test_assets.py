"""Asset records on real engines: published once, followed into a copy that outlives Kafka."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource  # type: ignore[attr-defined]
from typer.testing import CliRunner

from domain.clock import system_clock
from domain.lake.keys import Chain
from domain.lake.reading import read_objects
from domain.ledger import snapshot
from domain.media.copy import AssetCopy
from domain.media.files import RECORDS
from domain.media.publishing import CLOCKS_MS
from domain.metrics import LEDGER_DIFFERENCE
from infra import topics
from infra.commands import ledger
from infra.engines.cassandra import close, connect
from infra.engines.kafka.config import client_config
from infra.engines.kafka.follower import Follower
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.ledger_sources import ledger_sources
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import KafkaAssets, RecordObjects, asset_publisher
from schemas.codec import encode
from schemas.events import Asset
from schemas.framing import frame
from schemas.topics import ASSETS
from streams.reconciler.reconciler import Reconciler
from tests.support.builders import asset
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import eventually

NEWER = "fedcba9876543210" * 2


@pytest.fixture
def follow(stack: Settings, tmp_path: Path) -> Iterator[Callable[[], Follower[AssetCopy]]]:
    """Starts followers with the same file; each is closed after the test."""
    started: list[Follower[AssetCopy]] = []

    def start() -> Follower[AssetCopy]:
        file = tmp_path / "assets.json"
        follower = Follower(stack, Registry(stack), FakeMetrics(), system_clock, ASSETS, AssetCopy, file)
        follower.start()
        started.append(follower)
        return follower

    yield start
    for follower in started:
        follower.close()


def test_a_published_asset_is_last_in_kafka_and_published_once(stack: Settings) -> None:
    publisher, title = asset_publisher(stack), f"published-{uuid4()}"
    first = publisher.publish(asset(title))
    assert publisher.publish(asset(title)) == first
    second = publisher.publish(asset(title, version=NEWER))
    assert (first.seq, second.seq) == (1, 2)
    topic = KafkaAssets(stack, Registry(stack))
    assert topic.last(title, second.received_at - CLOCKS_MS) == second
    assert topic.last(title, second.received_at + CLOCKS_MS) is None


def test_a_copy_follows_and_starts_from_its_file_while_kafka_is_away(
    local_stack: Stack, stack: Settings, follow: Callable[[], Follower[AssetCopy]]
) -> None:
    publisher, title = asset_publisher(stack), f"followed-{uuid4()}"
    first = publisher.publish(asset(title))
    follower = follow()
    eventually(lambda: follower.ready)
    assert follower.copy.asset(title) == first
    second = publisher.publish(asset(title, version=NEWER))
    eventually(lambda: follower.copy.asset(title) == second)

    local_stack.stop("kafka")
    try:
        follower.close()
        restarted = follow()
        assert restarted.ready
        assert restarted.copy.asset(title) == second
        assert restarted.age_ms is not None
    finally:
        local_stack.up(["kafka"])
    third = publisher.remove(title)
    assert third.seq == 3
    eventually(lambda: restarted.copy.asset(title) is None)


def test_a_damaged_file_is_ignored(stack: Settings, follow: Callable[[], Follower[AssetCopy]], tmp_path: Path) -> None:
    title = f"damaged-{uuid4()}"
    published = asset_publisher(stack).publish(asset(title))
    (tmp_path / "assets.json").write_bytes(b'{"topic_id": "AAA", "off')
    follower = follow()
    eventually(lambda: follower.ready)
    assert follower.copy.asset(title) == published


DAY_S = 24 * 3600
CLEANER_PAUSE = {"log.cleaner.backoff.ms": "200"}


@pytest.fixture
def append_days_ago(stack: Settings) -> Iterator[Callable[[Asset, float], None]]:
    """Publishes to an empty ``playhead.assets`` as if it were some days ago. Kafka soon compacts what is old enough."""
    client, schema_id = AdminClient({**client_config(stack)}), Registry(stack).ids()[ASSETS.record]
    topic, broker = ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER
    _make_again(client, stack)
    _alter(client, topic, ASSETS.name, {"message.timestamp.type": "CreateTime"})
    _alter(client, broker, "1", CLEANER_PAUSE)
    producer = Producer({**client_config(stack)})
    objects = RecordObjects(ObjectStore(stack, stack.media_bucket))

    def append(record: Asset, days: float) -> None:
        assert objects.put_if_absent(record)
        at = int((time.time() - days * DAY_S) * 1000)
        producer.produce(ASSETS.name, frame(schema_id, encode(record)), record.title_id, timestamp=at)
        producer.flush()

    yield append
    _alter(client, broker, "1", dict.fromkeys(CLEANER_PAUSE))
    _make_again(client, stack)


def _alter(client: AdminClient, kind: Any, name: str, values: Mapping[str, str | None]) -> None:
    """None: what it was before."""
    operations = {True: AlterConfigOpType.DELETE, False: AlterConfigOpType.SET}
    entries = [
        ConfigEntry(each, value, incremental_operation=operations[value is None]) for each, value in values.items()
    ]
    resource = ConfigResource(kind, name, incremental_configs=entries)
    client.incremental_alter_configs([resource])[resource].result()


def _make_again(client: AdminClient, stack: Settings) -> None:
    """Nobody shall look for what other tests left in the topic, nor they for what was compacted."""
    client.delete_topics([ASSETS.name])[ASSETS.name].result()
    eventually(lambda: ASSETS.name not in client.list_topics(timeout=10).topics)
    topics.create_all(stack)
    bucket = ObjectStore(stack, stack.media_bucket)
    for key in list(bucket.list(RECORDS)):
        bucket.delete(key)


def test_after_compaction_copies_lake_and_ledgers_agree(
    local_stack: Stack,
    stack: Settings,
    append_days_ago: Callable[[Asset, float], None],
    start_workers: Callable[..., None],
    follow: Callable[[], Follower[AssetCopy]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    title, log, lake = f"compacted-{uuid4()}", TopicReader(stack), ObjectStore(stack)
    records = [asset(title, seq, event_id=str(uuid4())) for seq in range(1, 7)]
    before = follow()
    for record in records[:3]:
        append_days_ago(record, 30)
    [(topic, topic_id, partition)] = [at[:3] for at in log.spans([ASSETS.name]) if at[4]]
    chain = Chain(topic, topic_id, partition)

    def in_lake() -> list[tuple[int, int, int]]:
        return [(each.start, each.end, each.records) for each in read_objects(lake, chain)]

    start_workers("lake")
    eventually(lambda: sum(count for *_, count in in_lake()) == 3)
    local_stack.stop("lake")
    for record in records[3:5]:
        append_days_ago(record, 29)
    append_days_ago(records[5], 20)  # later than a segment lasts: the older segment is closed, and may be compacted

    def left() -> list[int]:
        return [offset for batch in log.read(topic, partition, 0, 6) for offset, _ in batch]

    eventually(lambda: left() == [4, 5])
    local_stack.start("lake")
    eventually(lambda: in_lake()[-1] == (3, 6, 2))

    session = connect(stack)
    try:
        sources, metrics = ledger_sources(stack, session, Registry(stack)), FakeMetrics()
        Reconciler(sources, metrics, overdue_ms=1, now=system_clock).run_once()
        assert sources.states.load(chain).position == 6
        assert metrics.gauges[LEDGER_DIFFERENCE][ASSETS.record,] == 0
    finally:
        close(session)
    monkeypatch.setattr(snapshot, "TOPICS", {ASSETS.name: ASSETS})
    command = CliRunner().invoke(ledger.app, ["ledger", "--client-logs", str(tmp_path)])
    ours = (title, f"{ASSETS.name}[", f"/{topic_id}/")  # the stack has other tests' histories and older topics
    assert "titles" in command.output, command.output
    assert [line for line in command.output.splitlines() if any(each in line for each in ours)] == []

    after = follow()
    for each in (before, after):
        eventually(lambda each=each: each.ready and each.copy.asset(title) == records[5])  # type: ignore[misc]
