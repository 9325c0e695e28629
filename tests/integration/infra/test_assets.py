"""Asset records on real engines: published once, followed into a copy that outlives Kafka."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from infra.engines.kafka.follower import AssetFollower
from infra.engines.registry import Registry
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.asset_publisher import KafkaAssets, asset_publisher
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
