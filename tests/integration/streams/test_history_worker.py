"""The history worker as a process, on real Kafka and Cassandra: whatever happens to it, histories equal the oracle."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from domain.history.live import read_live
from domain.processes import BY_NAME
from infra.engines.cassandra import close, connect
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.stores.history_cassandra import LiveVH
from schemas.events import Playback
from tests.integration.streams.traffic import TOPIC, Traffic, traffic
from tests.integration.streams.workers import Worker, stop
from tests.support.oracle import Comparable, by_profile, expected_history
from tests.support.pipeline import PATIENCE_S, answered, eventually

HISTORY = BY_NAME["history"]
WRITTEN = "playhead_live_vh_records_total"
FREEZES = 50


@pytest.fixture
def start(stack: Settings, tmp_path: Path) -> Iterator[Callable[[int], Worker]]:
    workers: list[Worker] = []

    def start_one(number: int) -> Worker:
        workers.append(Worker(stack, HISTORY.name, number, tmp_path / f"history-{number}.log"))
        return workers[-1]

    yield start_one
    stop(workers)


def send(settings: Settings, seed: int) -> Traffic:
    sent = traffic(Registry(settings), seed, sessions=250)
    BulkProducer(settings).write(sent.messages)
    return sent


@pytest.fixture(scope="module")
def lag(stack: Settings) -> Callable[[], int]:
    """Records that the history group has still to commit."""
    kafka = TopicReader(stack)
    return lambda: answered(lambda: kafka.lag(HISTORY.group or "", [TOPIC]))


@pytest.fixture
def drain(lag: Callable[[], int]) -> Callable[[], None]:
    return lambda: eventually(lambda: lag() == 0)


def histories(settings: Settings, events: list[Playback]) -> dict[str, dict[str, Comparable]]:
    async def read() -> dict[str, dict[str, Comparable]]:
        session = connect(settings)
        profiles = {event.profile_id for event in events}
        live = LiveVH(session)
        partitions = await asyncio.gather(*(read_live(live, profile) for profile in profiles))
        await asyncio.to_thread(close, session)
        return by_profile(record for partition in partitions for record in partition.records)

    return asyncio.run(read())


def test_repeats_disorder_broken_payloads_and_two_schema_versions(
    stack: Settings, start: Callable[[int], Worker], drain: Callable[[], None]
) -> None:
    worker = start(0)
    eventually(lambda: worker.partitions() == stack.topic_partitions)
    drain()  # of what other tests may have left
    counters = ("playhead_invalid_skipped_total", "playhead_consumed_records_total", "playhead_session_conflicts_total")
    before = [worker.metric(counter) for counter in counters]
    sent = send(stack, seed=1)
    drain()
    assert histories(stack, sent.events) == expected_history(sent.events)
    counted = [worker.metric(counter) - earlier for counter, earlier in zip(counters, before, strict=True)]
    assert counted == [sent.invalid, len(sent.messages), 0]


def test_sigterm_commits_what_was_written_and_ends_well(
    stack: Settings, start: Callable[[int], Worker], drain: Callable[[], None]
) -> None:
    worker = start(0)
    sent = send(stack, seed=2)
    eventually(lambda: worker.metric(WRITTEN) > 0)
    worker.signal(signal.SIGTERM)
    assert worker.process.wait(PATIENCE_S) == 0
    start(0)
    drain()
    assert histories(stack, sent.events) == expected_history(sent.events)


def test_a_kill_in_mid_flight_loses_nothing(
    stack: Settings, start: Callable[[int], Worker], lag: Callable[[], int], drain: Callable[[], None]
) -> None:
    worker, seeds = start(0), count(30)
    sent = send(stack, seed=3)

    def freeze_after_a_write() -> None:
        written = worker.metric(WRITTEN)
        worker.signal(signal.SIGSTOP)
        sent.events.extend(send(stack, next(seeds)).events)
        worker.signal(signal.SIGCONT)
        eventually(lambda: worker.metric(WRITTEN) > written)
        worker.signal(signal.SIGSTOP)  # so that the lag is what it is when the kill comes

    for _ in range(2):
        freeze_after_a_write()
        for _ in range(FREEZES):
            if lag():
                break
            worker.signal(signal.SIGCONT)  # it committed everything while this test waited for a core
            freeze_after_a_write()
        assert lag()
        worker.signal(signal.SIGKILL)
        worker.process.wait()
        worker = start(0)
    drain()
    assert histories(stack, sent.events) == expected_history(sent.events)


def test_workers_that_come_and_go_lose_nothing(
    stack: Settings, start: Callable[[int], Worker], drain: Callable[[], None]
) -> None:
    first = start(0)
    sent = send(stack, seed=4)
    eventually(lambda: first.metric(WRITTEN) > 0)
    second = start(1)
    eventually(lambda: (first.partitions(), second.partitions()) == (2, 2))
    more = send(stack, seed=5)
    eventually(lambda: second.metric(WRITTEN) > 0)
    first.signal(signal.SIGTERM)
    last = send(stack, seed=6)
    assert first.process.wait(PATIENCE_S) == 0
    drain()
    events = [*sent.events, *more.events, *last.events]
    assert histories(stack, events) == expected_history(events)
    eventually(lambda: second.partitions() == 4)
