"""The simulator against a real Kafka and a real collector: what its log says is what Kafka holds."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import httpx

from domain.clock import system_clock
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.runtime.settings import LOCAL_KEY, Settings
from producers.client.sender import HttpPost, Sender
from producers.simulator.client_log import ClientLog
from producers.simulator.live import Run, play_schedule, schedules
from producers.simulator.network import Faults
from producers.simulator.synthetic import members
from schemas.batch import BatchDecoder
from schemas.topics import EVENT_TOPICS
from tests.integration.producers.conftest import Collector, Tail
from tests.support.pipeline import PATIENCE_S
from tests.support.simulated_events import generate

FAULTS = Faults(late=0.1, duplicated=0.05, reordered=0.05, corrupt=0.05, lost=0.01)


def tails(stack: Settings) -> dict[str, Tail]:
    return {family: Tail(stack, topic.name) for family, topic in EVENT_TOPICS.items()}


def event_ids(stack: Settings, appended: dict[str, Tail]) -> set[str]:
    """Of every valid record appended."""
    decoder = BatchDecoder(Registry(stack).resolve)
    found: set[str] = set()
    for family, tail in appended.items():
        batch = decoder.decode(family, [record.value() for record in tail.records()])
        assert batch.invalid == []
        found |= set(batch.frame["event_id"].to_list())
    return found


def with_outcome(log: Path, outcomes: Iterable[str]) -> set[str]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return {line["event_id"] for line in lines if line["outcome"] in outcomes}


def test_the_past_is_in_kafka_record_for_record(stack: Settings) -> None:
    sent = generate(5, Registry(stack).ids(), events=3_000, faults=FAULTS)
    appended = tails(stack)
    BulkProducer(stack).write(sent.records)
    stored = [(r.topic(), r.key(), r.value()) for tail in appended.values() for r in tail.records()]
    assert sorted(stored) == sorted(sent.records)


async def test_what_live_viewers_were_promised_is_in_kafka_and_nothing_else(
    stack: Settings, collector: Collector, tmp_path: Path
) -> None:
    path, appended = tmp_path / "live.jsonl", tails(stack)
    run = Run(system_clock(), seconds=4, heartbeat_ms=500, seed=5, faults=FAULTS)
    async with httpx.AsyncClient(base_url=collector.url, timeout=PATIENCE_S) as client:
        with ClientLog(path) as log:
            sender = Sender(HttpPost(client, LOCAL_KEY), log.note, system_clock, asyncio.Event())
            stop = asyncio.Event()
            await asyncio.gather(
                *(play_schedule(s, sender, system_clock, stop) for s in schedules(members(10, 5), run))
            )
    assert sender.tally["refused"] > 0
    assert event_ids(stack, appended) == with_outcome(path, ["accepted"])
    assert with_outcome(path, ["sent"]) == with_outcome(path, ["accepted", "refused"])
