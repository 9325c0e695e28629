"""Compactors on a real Cassandra, killed at every step and racing: no read ever misses or doubles a session."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Session

from domain.history import live
from domain.history.compaction import Compactor, Step
from domain.metrics import HISTORY_READ_RETRIES
from infra.engines.cassandra import close, connect
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from tests.chaos.compactor import RULES, Death, doomed, processes, racing_compactor
from tests.chaos.member_oracle import NOW, Member
from tests.support.soak import repeat

KILLS = repeat(2, soak=20)
SESSIONS = 50
"""Before the first kill: several chunks."""
READS = 50
"""Between one kill and the next."""
LATER_S = 0.004
"""Half of the kills come up to this long after the step, while the next one runs."""
ROUNDS = 12
RACES = 20

pytestmark = pytest.mark.soak


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compactions come between the parts of one read of LiveVH."""
    monkeypatch.setattr(live, "PART", 8)


@pytest.fixture
async def session(stack: Settings) -> AsyncIterator[Session]:
    session = connect(stack)
    yield session
    await asyncio.to_thread(close, session)


@pytest.fixture
def member(session: Session) -> Member:
    return Member(f"chaos-{uuid4()}", LiveVH(session), CompressedVH(session), Random(5))


@pytest.mark.parametrize("step", Step)
async def test_a_compactor_killed_at_any_step_loses_and_doubles_nothing(
    stack: Settings, member: Member, step: Step
) -> None:
    hits = 0
    async with member.watched():
        await member.until(sessions=SESSIONS)
        await member.compact()
        while hits < KILLS or not member.metrics.by(HISTORY_READ_RETRIES, "reason")["newer marker"]:
            enough = member.reads + READS
            death = Death(step, after_s=0 if hits % 2 else member.random.random() * LATER_S)
            process = doomed(stack, member.profile_id, NOW, death)
            await asyncio.to_thread(process.join)
            assert process.exitcode in (0, -signal.SIGKILL)
            hits += process.exitcode == -signal.SIGKILL
            await member.until(reads=enough)
            await member.compact()
            assert await member.orphans() == set()
    await member.check(member.reader())
    marker, gone = (
        member.metrics.by(HISTORY_READ_RETRIES, "reason")[reason] for reason in ("newer marker", "chunk gone")
    )
    print(  # noqa: T201
        f"\n{step.value}: killed {hits} times, {member.reads / hits:.0f} reads a kill, {len(member.newest)} sessions; "
        f"{marker} reads met a newer marker, {gone} a chunk that was gone"
    )
    assert hits >= KILLS


async def test_of_two_compactors_that_race_one_wins_and_the_history_stays_right(
    stack: Settings, member: Member
) -> None:
    start, outcomes = processes.Barrier(2), processes.Queue()
    counted: Counter[str] = Counter()
    async with member.watched(readers=2):
        for _ in range(RACES):  # until two really meet, which the machine decides
            await member.until(sessions=len(member.newest) + SESSIONS)
            racing = [racing_compactor(stack, member.profile_id, NOW, start, outcomes, ROUNDS) for _ in range(2)]
            for process in racing:
                await asyncio.to_thread(process.join)
                assert process.exitcode == 0
            counted.update(outcomes.get() for _ in range(2 * ROUNDS))
            if counted["lost"]:
                break
        await member.compact()
    await member.compact()
    print(  # noqa: T201
        f"\nracing: {dict(counted)}, {member.reads} reads"
    )
    assert counted["lost"] >= 1
    assert counted["published"] >= 1
    assert counted["damaged"] == 0
    await member.check(member.reader())
    assert await member.orphans() == set()


async def test_a_publish_without_an_answer_is_settled(local_stack: Stack, session: Session, member: Member) -> None:
    """The node stops during the request and continues after the compactor has timed out."""
    profile = session.get_execution_profile(EXEC_PROFILE_DEFAULT)
    patience = profile.request_timeout
    cassandra = local_stack.pid("cassandra")
    await member.write(*(member._state(number, seq=1) for number in range(40)))
    waited: list[float] = []

    async def at(step: Step) -> None:
        if step is Step.PUBLISHING:
            profile.request_timeout = 1.0
            os.kill(cassandra, signal.SIGSTOP)

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        os.kill(cassandra, signal.SIGCONT)
        profile.request_timeout = patience
        await asyncio.sleep(seconds)

    compactor = Compactor(member.live, member.compressed, member.metrics, RULES, lambda: NOW, at, wait)
    part = await member.live.part(member.profile_id, 40)
    new = await compactor.prepare(member.profile_id, None, part.records)
    assert new
    try:
        assert await compactor.publish(member.profile_id, None, new)
    finally:
        os.kill(cassandra, signal.SIGCONT)
    assert waited
    await member.compact()
    await member.check(member.reader())
