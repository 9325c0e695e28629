"""Asset records on real engines: published once, followed into a copy that outlives Kafka."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource  # type: ignore[attr-defined]

from domain.lake.keys import Chain
from domain.lake.reading import read_objects
from domain.ledger.compare import Comparer, split_by_object
from infra import topics
from infra.engines.kafka.config import client_config
from infra.engines.kafka.follower import AssetFollower
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import KafkaAssets, asset_publisher
from schemas.batch import BatchDecoder
from schemas.events import Asset
from schemas.topics import ASSETS, COMPACTION_LAG_MS
from tests.support.builders import asset
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import eventually

NEWER = "fedcba9876543210" * 2


@pytest.fixture
def follow(stack: Settings, tmp_path: Path) -> Iterator[Callable[[], AssetFollower]]:
    """Starts followers with the same file; each is closed after the test."""
    started: list[AssetFollower] = []

    def start() -> AssetFollower:
        file = tmp_path / "assets.json"
        follower = AssetFollower(stack, Registry(stack), FakeMetrics(), lambda: time.time_ns() // 1_000_000, file)
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
    assert KafkaAssets(stack, Registry(stack)).last(title) == second


def test_a_copy_follows_and_starts_from_its_file_while_kafka_is_away(
    local_stack: Stack, stack: Settings, follow: Callable[[], AssetFollower]
) -> None:
    publisher, title = asset_publisher(stack), f"followed-{uuid4()}"
    first = publisher.publish(asset(title))
    follower = follow()
    eventually(lambda: follower.ready)
    assert follower.asset(title) == first
    second = publisher.publish(asset(title, version=NEWER))
    eventually(lambda: follower.asset(title) == second)

    local_stack.stop("kafka")
    try:
        follower.close()
        restarted = follow()
        assert restarted.ready
        assert restarted.asset(title) == second
        assert restarted.age_ms is not None
    finally:
        local_stack.up(["kafka"])
    third = publisher.remove(title)
    assert third.seq == 3
    eventually(lambda: restarted.asset(title) is None)


def test_a_damaged_file_is_ignored(stack: Settings, follow: Callable[[], AssetFollower], tmp_path: Path) -> None:
    title = f"damaged-{uuid4()}"
    published = asset_publisher(stack).publish(asset(title))
    (tmp_path / "assets.json").write_bytes(b'{"topic_id": "AAA", "off')
    follower = follow()
    eventually(lambda: follower.ready)
    assert follower.asset(title) == published


EAGER = {
    "segment.ms": "1000",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1000",
    "min.cleanable.dirty.ratio": "0.001",
}


@pytest.fixture
def eager_cleaner(stack: Settings) -> Iterator[None]:
    """Kafka compacts ``playhead.assets`` as soon as it can."""
    client = AdminClient({**client_config(stack)})

    eager = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in EAGER.items()]
    topic = ConfigResource(ConfigResource.Type.TOPIC, ASSETS.name, incremental_configs=eager)
    client.incremental_alter_configs([topic])[topic].result()
    yield
    # What other tests left there was compacted, too: nobody shall look for it.
    client.delete_topics([ASSETS.name])[ASSETS.name].result()
    eventually(lambda: ASSETS.name not in client.list_topics(timeout=10).topics)
    topics.create_all(stack)


def test_after_compaction_copies_and_ledger_agree(
    stack: Settings,
    eager_cleaner: None,
    start_workers: Callable[..., None],
    follow: Callable[[], AssetFollower],
) -> None:
    title, registry, log = f"compacted-{uuid4()}", Registry(stack), TopicReader(stack)
    lake, topic = ObjectStore(stack), KafkaAssets(stack, registry)
    long_ago = time.time_ns() // 1_000_000 - COMPACTION_LAG_MS - 60_000
    before = follow()
    records = [asset(title, seq, event_id=str(uuid4()), received_at=long_ago) for seq in (1, 2, 3)]
    topic.publish(records)

    def found() -> dict[tuple[int, int], int]:
        """Partition and offset of each of the title's records in Kafka, with its seq."""
        return {
            (partition, offset): record.seq
            for _, _, partition, start, end in log.spans([ASSETS.name])
            for batch in log.records(ASSETS.name, partition, start, end)
            for offset, payload, _ in batch
            if isinstance(record := registry.decode(ASSETS.record, payload), Asset) and record.title_id == title
        }

    at = found()
    assert sorted(at.values()) == [1, 2, 3]
    (partition, first), (_, last) = min(at), max(at)
    [topic_id] = {topic_id for _, topic_id, *_ in log.spans([ASSETS.name])}
    chain = Chain(ASSETS.name, topic_id, partition)
    start_workers("lake")
    eventually(lambda: any(each.end > last for each in read_objects(lake, chain, start=0)))

    def cleaned() -> bool:
        topic.publish([asset(title, 3, event_id=records[2].event_id, received_at=long_ago)])  # it closes a segment
        time.sleep(1)  # and is closed with the next record that comes later than segment.ms
        return 1 not in found().values() and 2 not in found().values()

    eventually(cleaned)
    [(start, end)] = [span[3:] for span in log.spans([ASSETS.name]) if span[2] == partition]
    comparer = Comparer(log, lake, BatchDecoder(registry.resolve))
    parts = split_by_object((first, last + 1), list(read_objects(lake, chain, start=0)))
    compared = list(comparer.compare(chain, parts, (start, end)))
    assert [finding.what for each in compared for finding in each.findings] == []
    assert sum(each.superseded for each in compared) >= 2
    after = follow()
    for copy in (before, after):
        eventually(lambda copy=copy: copy.ready and copy.asset(title) == records[2])  # type: ignore[misc]
