"""Three Cassandra nodes, all at quorum: compactors and nodes die, coordinators hang, nothing is lost or doubled."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session

from domain.history.compaction import Step
from domain.metrics import HISTORY_READ_RETRIES, UNREADABLE_CHUNKS
from domain.processes import BY_NAME
from domain.slots.leases import Leases
from domain.slots.model import Answer, Slot
from infra.engines.cassandra import close, connect
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.local.stack import Stack
from infra.runtime.settings import PORT_BASES, Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.slots_cassandra import StreamSlots
from tests.chaos.compactor import Death, doomed
from tests.chaos.member_oracle import NOW, Member
from tests.chaos.nodes import Dying, await_return, going_on, kill
from tests.chaos.paused_coordinator import FATES, First, Hanging, Steered
from tests.integration.streams.traffic import TOPIC, traffic
from tests.integration.streams.workers import Worker, stop
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import PATIENCE_S, Pipeline, answered, eventually
from tests.support.soak import repeat
from tests.support.starts import OUTCOME, a_stream, race, taken

NODES = ["cassandra-0", "cassandra-1", "cassandra-2"]
SESSIONS = 50
KILLS = repeat(1, soak=4)
"""At each step, while a node is away."""
READS = 15
"""Between one kill and the next."""
LATER_S = 0.01
ROUNDS = repeat(len(FATES), soak=3 * len(FATES))
ANSWER_WITHIN_S = 2.0
RACES = repeat(10, soak=100)
HANGING_STARTS = repeat(2, soak=30)
LONG_S = 3600
SEEDS = (70, 80)[: repeat(1, soak=2)]
WRITTEN = "playhead_live_vh_records_total"


pytestmark = [pytest.mark.engines, pytest.mark.soak]


@pytest.fixture(scope="module")
def ring() -> Iterator[Stack]:
    """A stack with only Cassandra; it uses the Kafka and registry of the test stack."""
    outer = Settings()
    own = Settings(
        stack=f"{outer.stack}-ring",
        port_base=(outer.port_base or PORT_BASES[outer.stack]) + 400,
        kafka_bootstrap=outer.kafka,
        registry_url=outer.registry,
        s3_endpoint=outer.s3 or "",
        cassandra_nodes=3,
        cassandra_heap="512m",
    )
    made = Stack(own)
    made.wipe()
    made.up(["cassandra"])
    yield made
    made.wipe()


@pytest.fixture
async def session(ring: Stack) -> AsyncIterator[Session]:
    session = connect(ring.settings)
    session.get_execution_profile(EXEC_PROFILE_DEFAULT).request_timeout = ANSWER_WITHIN_S
    yield session
    await asyncio.to_thread(close, session)


@pytest.fixture
def member(session: Session) -> Member:
    return Member(f"ring-{uuid4()}", LiveVH(session), CompressedVH(session), Random(5))


async def test_compactors_killed_at_every_step_while_nodes_die_lose_and_double_nothing(
    ring: Stack, member: Member
) -> None:
    hits: Counter[Step] = Counter()
    nodes = Dying(ring, NODES)
    async with member.watched(readers=2):
        await member.until(sessions=SESSIONS)
        await member.compact()
        async with nodes.running():
            while any(hits[step] < KILLS for step in Step):
                enough = member.reads + READS
                step = min(Step, key=lambda each: hits[each])
                death = Death(step, after_s=member.random.choice((0, member.random.random() * LATER_S)))
                away = nodes.away
                process = doomed(ring.settings, member.profile_id, NOW, death)
                await asyncio.to_thread(process.join)  # a node's death may be its own end, too
                hits[step] += away and process.exitcode == -signal.SIGKILL
                await member.until(reads=enough)
                await _compacted(member)
        await _compacted(member)
    await member.check(member.reader())
    marker, gone = (
        member.metrics.by(HISTORY_READ_RETRIES, "reason")[reason] for reason in ("newer marker", "chunk gone")
    )
    print(  # noqa: T201
        f"\n{nodes.deaths} deaths of nodes; killed at { ({step.value: count for step, count in hits.items()}) }; "
        f"{member.reads} reads, {len(member.newest)} sessions, {member.unanswered} requests unanswered; "
        f"{marker} reads met a newer marker, {gone} a chunk that was gone"
    )
    assert member.metrics.total(UNREADABLE_CHUNKS) == 0


async def _compacted(member: Member) -> None:
    """What a dying coordinator brought to one replica only may be seen by the second compaction first."""
    await member.compact()
    if await member.orphans():
        await member.compact()
        assert await member.orphans() == set()


async def test_a_publish_whose_coordinator_hangs_is_settled_by_asking_another(ring: Stack, member: Member) -> None:
    """The node continues after the compactor learned the outcome, lost to another compactor, or died."""
    outcomes: Counter[str] = Counter()
    session = connect(ring.settings)
    session.get_execution_profile(EXEC_PROFILE_DEFAULT).request_timeout = ANSWER_WITHIN_S
    steered = Steered(session)
    async with member.watched(readers=1):
        for number in range(ROUNDS):
            await member.until(sessions=len(member.newest) + 20)
            node, other = member.random.sample(range(len(NODES)), 2)
            addresses = ring.settings.cassandra
            async with going_on(ring, NODES[node]) as pid:
                hanging = Hanging(member, steered, addresses[node], addresses[other], pid, FATES[number % len(FATES)])
                outcomes[await hanging.compact()] += 1
            await _compacted(member)
            await member.check(member.reader())
    await asyncio.to_thread(close, session)
    print(f"\n{dict(outcomes)}; {member.reads} reads, {member.unanswered} requests unanswered")  # noqa: T201
    assert sum(count for outcome, count in outcomes.items() if outcome.startswith("no answer")) > 0
    assert member.metrics.total(UNREADABLE_CHUNKS) == 0


async def test_of_forty_starts_at_once_on_a_plan_of_two_two_are_granted_while_a_node_hangs(
    ring: Stack, session: Session
) -> None:
    store = StreamSlots(session, LONG_S, LONG_S)
    async with going_on(ring, NODES[0]) as pid:
        os.kill(pid, signal.SIGSTOP)
        for _ in range(RACES):
            assert await race(store) == OUTCOME


async def test_a_start_whose_coordinator_hangs_is_settled_by_asking_another(
    ring: Stack, session: Session, member: Member
) -> None:
    """The node hangs a moment after the question, and goes on after the answer: that must not change what was said."""
    profile = session.get_execution_profile(EXEC_PROFILE_DEFAULT)
    policy = profile.load_balancing_policy = First(profile.load_balancing_policy)
    policy.address = ring.settings.cassandra[0]
    store = StreamSlots(session, LONG_S, LONG_S)
    leases = Leases(lambda: store, FakeMetrics(), PATIENCE_S)
    for _ in range(HANGING_STARTS):
        account, mine, other = f"hanging-{uuid4()}", a_stream(), a_stream()
        async with going_on(ring, NODES[0]) as pid:
            later = member.random.random() * LATER_S
            timer = asyncio.get_running_loop().call_later(later, os.kill, pid, signal.SIGSTOP)
            assert await leases.start(account, 1, mine) == Answer("held")
            assert await leases.start(account, 1, other) == Answer("full", (mine,))
            timer.cancel()
        assert await taken(store, account) == {0: Slot(mine)}


def test_histories_written_while_a_node_is_killed_equal_the_oracle(
    stack: Settings, ring: Stack, tmp_path: Path
) -> None:
    kafka, pipeline = TopicReader(ring.settings), Pipeline(ring)
    worker = Worker(ring.settings, "history", 0, tmp_path / "history-0.log")

    def send(seed: int) -> None:
        sent = traffic(Registry(ring.settings), seed, sessions=250)
        pipeline.send(sent.messages, sent.events)

    try:
        eventually(lambda: worker.partitions() == ring.settings.topic_partitions)
        for seed, node in zip(SEEDS, NODES, strict=False):
            written = worker.metric(WRITTEN)
            send(seed)
            eventually(lambda written=written: worker.metric(WRITTEN) > written)  # type: ignore[misc]
            pid = kill(ring, node)
            send(seed + 1)
            await_return(ring, node, pid)
        eventually(lambda: kafka.lag(BY_NAME["history"].group or "", [TOPIC]) == 0)
        retries = worker.metric("playhead_retries_total")
    finally:
        stop([worker])
    print(f"\n{len(pipeline.sent)} events, {len(SEEDS)} deaths of nodes, {retries:.0f} retries")  # noqa: T201
    assert answered(pipeline.histories) == pipeline.expected_histories()
