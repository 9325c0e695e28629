"""Workers killed, engines stopped, a rebalance in the middle: nothing is lost, nothing doubled."""

import os
import re
import signal
import time
from collections.abc import Iterator
from itertools import chain

import httpx
import pytest

from domain.processes import BY_NAME, PROCESSES, Process
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.local.program import StackError
from infra.runtime.settings import Settings
from producers.ports import Message
from producers.simulator.network import Faults
from schemas.errors import TransientError
from schemas.events import Event
from tests.support.pipeline import Pipeline, answered, dead_letters, eventually, get, playhead
from tests.support.simulated_events import generate
from tests.support.soak import repeat

HOSTILE = Faults(late=0.05, duplicated=0.05, reordered=0.05, corrupt=0.01, lost=0.01)
EVENTS = 20_000
WRITTEN = {"live_vh": "playhead_live_vh_records_total", "event_lake": "playhead_lake_records_total"}
"""By store: what grows once a worker has written and not yet committed. Both stores are compared in the end."""
KILLED = tuple(
    process for process in PROCESSES if process.group and any(flow.store in WRITTEN for flow in process.writes)
)
"""The processes that consume Kafka and write one of these stores."""
AWAY_S = repeat(10, soak=60)
FREEZES = 50

pytestmark = pytest.mark.soak


def test_history_lake_and_dead_letters_are_exact_after_kills_restarts_and_a_rebalance(pipeline: Pipeline) -> None:
    stack = pipeline.stack
    workers = _in_order(stack.settings)
    chunks = _chunks(pipeline, len(workers) + 2)

    for worker in workers:
        _kill_in_mid_flight(pipeline, worker, next(chunks))

    pipeline.send(*next(chunks))
    stack.restart("kafka")

    eventually(lambda: _shared_out(pipeline, BY_NAME["history"]))  # one that still starts would not begin
    stack.stop("cassandra")
    since = time.monotonic()
    pipeline.send(*next(chunks))
    eventually(lambda: _counted(pipeline, "history-0", "playhead_retries_total") > 0)
    stack.stop("history-1")  # its partitions move to a worker that cannot write either
    time.sleep(max(0.0, AWAY_S - (time.monotonic() - since)))  # being away for that long is what is tested
    stack.start("cassandra")
    stack.start("history-1")

    pipeline.drain()
    records = pipeline.kafka()
    valid, lake, letters = pipeline.valid(records), pipeline.lake(), dead_letters(records)
    assert pipeline.histories() == pipeline.expected_histories()
    assert sorted(lake) == sorted(valid)
    assert sorted([*lake, *letters]) == sorted(records)
    ledger = playhead("ledger")
    assert ledger.returncode == 0, ledger.stdout


def _in_order(settings: Settings) -> list[str]:
    """The workers that are killed, in order."""
    return [
        process.worker_name(number % len(settings.worker_numbers(process)))
        for number in range(repeat(1, soak=3))
        for process in KILLED
    ]


def _chunks(pipeline: Pipeline, count: int) -> Iterator[tuple[list[Message], list[Event]]]:
    """The day's records in ``count`` equal parts."""
    sent = generate(seed=23, ids=Registry(pipeline.settings).ids(), events=EVENTS, faults=HOSTILE)
    size = -(-len(sent.records) // count)
    corrupt = {id(one.message) for one in sent.corrupt}
    events = iter(sent.events)
    for start in range(0, len(sent.records), size):
        records = sent.records[start : start + size]
        yield records, [next(events) for message in records if id(message) not in corrupt]


def _kill_in_mid_flight(pipeline: Pipeline, worker: str, chunk: tuple[list[Message], list[Event]]) -> None:
    """SIGKILL after the worker has written some of the chunk, while not all of it is committed.

    The chunk is sent again if it was all committed, while this test had to wait for a core.
    """
    process = BY_NAME[worker.split("-")[0]]
    kafka = TopicReader(pipeline.settings)

    def written() -> float:
        stores = (flow.store for flow in process.writes if flow.store in WRITTEN)
        return sum(_counted(pipeline, worker, WRITTEN[store]) for store in stores)

    def lag() -> int:
        return answered(lambda: kafka.lag(process.group or "", process.topics))

    for _ in range(FREEZES):
        eventually(lambda: _shared_out(pipeline, process))  # else the other worker may take all of the chunk
        pid, before = pipeline.stack.pid(worker), written()
        os.kill(pid, signal.SIGSTOP)
        pipeline.send(*chunk)
        os.kill(pid, signal.SIGCONT)
        eventually(lambda before=before: written() > before or not lag())  # type: ignore[misc]
        os.kill(pid, signal.SIGSTOP)  # so that the lag is what it is when the kill comes
        if lag():
            break
        os.kill(pid, signal.SIGCONT)
    else:
        raise AssertionError(f"{worker} committed everything {FREEZES} times before it could be killed")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: _pid(pipeline, worker) not in (None, pid))


def _shared_out(pipeline: Pipeline, process: Process) -> bool:
    """Every partition is some worker's, none is two workers', no worker is idle."""
    held = [
        re.findall(r"^kafka_consumergroup_lag{(.*)} ", _metrics(pipeline, process, index), re.MULTILINE)
        for index in pipeline.settings.worker_numbers(process)
    ]
    try:
        partitions = len(TopicReader(pipeline.settings).spans(process.topics))
    except TransientError:  # Kafka has just come back
        return False
    shared = list(chain.from_iterable(held))
    return all(held) and len(shared) == len(set(shared)) == partitions


def _pid(pipeline: Pipeline, worker: str) -> int | None:
    try:
        return pipeline.stack.pid(worker)
    except StackError:
        return None


def _counted(pipeline: Pipeline, worker: str, metric: str) -> float:
    """The sum of a counter over its labels, 0 while the worker does not answer."""
    name, index = worker.split("-")
    text = _metrics(pipeline, BY_NAME[name], int(index))
    return sum(float(value) for value in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def _metrics(pipeline: Pipeline, process: Process, index: int) -> str:
    """Empty while the worker does not answer."""
    try:
        return get(f"{pipeline.settings.process_url(process, index)}/metrics").text
    except httpx.TransportError:
        return ""
