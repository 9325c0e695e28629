"""A collector process on the test stack's Kafka, with short time-outs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from tenacity import retry, retry_if_exception_type, retry_if_not_result, stop_after_delay, wait_fixed

from infra.engines.kafka.config import client_config
from infra.local.workers import environment
from infra.runtime.settings import LOCAL_KEY, Settings
from tests.support.pipeline import PATIENCE_S

WAIT_SECONDS = 2


@dataclass
class Collector:
    url: str
    process: subprocess.Popen[bytes]

    def post(self, *events: dict[str, Any], sent_at: int) -> httpx.Response:
        headers = {"Authorization": f"Bearer {LOCAL_KEY}"}
        body = {"sent_at": sent_at, "events": events}
        return httpx.post(f"{self.url}/v1/events", json=body, headers=headers, timeout=PATIENCE_S)

    @retry(
        retry=retry_if_exception_type(httpx.TransportError) | retry_if_not_result(bool),
        stop=stop_after_delay(PATIENCE_S),
        wait=wait_fixed(0.1),
    )
    def await_readiness(self, ready: bool = True) -> bool:
        return httpx.get(f"{self.url}/readyz", timeout=5).is_success is ready


@pytest.fixture
def collector(stack: Settings, tmp_path: Path) -> Iterator[Collector]:
    with collecting(stack, tmp_path) as running:
        running.await_readiness()
        yield running


@contextmanager
def collecting(stack: Settings, tmp_path: Path, **variables: str) -> Iterator[Collector]:
    """A collector that starts now, with these settings."""
    with (tmp_path / "collector.log").open("wb") as log:
        waits = {"PLAYHEAD_COLLECTOR_WAIT_SECONDS": str(WAIT_SECONDS)}
        process = subprocess.Popen(
            [sys.executable, "-m", "producers.collector.main"],
            env={**os.environ, **environment(stack), **waits, **variables},
            stderr=log,
        )
        try:
            yield Collector(stack.collector_url, process)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


class Tail:
    """What was appended to a topic since this was made."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._consumer = Consumer({**client_config(settings), "group.id": "playhead.test", "enable.auto.commit": False})
        described = self._consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic]
        self._from = [TopicPartition(topic, number, self._end(topic, number)) for number in described.partitions]

    def records(self) -> list[Message]:
        self._consumer.assign(self._from)
        missing = sum(self._end(at.topic, at.partition) - at.offset for at in self._from)
        found: list[Message] = []
        while len(found) < missing:
            batch = self._consumer.consume(missing - len(found), timeout=PATIENCE_S)
            assert batch, f"{missing - len(found)} records do not come"
            found += batch
        return found

    def _end(self, topic: str, partition: int) -> int:
        _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE_S)
        return int(end)
