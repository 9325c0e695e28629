"""Slots of streams in Cassandra, asked for by many at once and left by players that die."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from domain.slots.leases import Leases
from domain.slots.model import Answer
from infra.engines.cassandra import close, connect
from infra.runtime.settings import Settings
from infra.stores.slots_cassandra import StreamSlots
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import PATIENCE_S
from tests.support.soak import repeat
from tests.support.starts import OUTCOME, a_stream, race, until

ROUNDS = repeat(10, soak=100)
LONG_S = 3600
HELD = Answer("held")
Make = Callable[[int, int], StreamSlots]
"""A store with these seconds of lease and pause."""

pytestmark = [pytest.mark.engines, pytest.mark.soak]


@pytest.fixture
async def make(stack: Settings) -> AsyncIterator[Make]:
    session = connect(stack)
    yield lambda lease_s, pause_s: StreamSlots(session, lease_s, pause_s)
    await asyncio.to_thread(close, session)


async def granted(leases: Leases, account: str) -> None:
    """Returns once a stream gets the slot of a plan of one."""
    waiting = a_stream()

    async def holds() -> bool:
        return await leases.start(account, 1, waiting) == HELD

    await until(holds)


async def test_of_forty_starts_at_once_on_a_plan_of_two_two_are_granted(make: Make) -> None:
    store = make(LONG_S, LONG_S)
    for _ in range(ROUNDS):
        assert await race(store) == OUTCOME


async def test_the_slot_of_a_player_that_was_killed_becomes_free(make: Make) -> None:
    leases, account = Leases(lambda: make(2, LONG_S), FakeMetrics(), PATIENCE_S), f"killed-{uuid4()}"
    assert await leases.start(account, 1, a_stream()) == HELD
    await granted(leases, account)


async def test_the_slot_of_a_tab_that_stays_paused_becomes_free_and_playing_on_asks_for_it_again(make: Make) -> None:
    leases, account, tab = Leases(lambda: make(LONG_S, 2), FakeMetrics(), PATIENCE_S), f"paused-{uuid4()}", a_stream()
    assert await leases.start(account, 1, tab) == HELD
    assert await leases.renew(account, 1, tab, playing=False) == HELD
    other = a_stream()

    async def given_back() -> bool:
        return (await leases.renew(account, 1, tab, playing=False)).verdict == "given_back"

    await until(given_back)
    assert await leases.start(account, 1, other) == HELD
    assert await leases.renew(account, 1, tab, playing=True) == Answer("full", (other,))
