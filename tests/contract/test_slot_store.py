"""What leases may expect of their store: the fake and Cassandra's adapter alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
import uuid_utils

from domain.slots.model import Slot, Slots, Stream
from domain.slots.ports import SlotStore
from infra.engines.cassandra import close, connect
from infra.stores.slots_cassandra import StreamSlots
from tests.support.fake_slots import FakeSlots, Row
from tests.support.starts import until

Make = Callable[[int, int], SlotStore]
"""A store with these seconds of lease and pause; all have the same slots."""
LONG_S = 3600


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    if request.param == "fake":
        rows: dict[tuple[str, int], Row] = {}
        yield lambda lease_s, pause_s: FakeSlots(lease_s, pause_s, rows=rows)
        return
    session = connect(request.getfixturevalue("stack"))
    yield lambda lease_s, pause_s: StreamSlots(session, lease_s, pause_s)
    await asyncio.to_thread(close, session)


@pytest.fixture
def store(make: Make) -> SlotStore:
    """Slots that nothing frees within a test."""
    return make(LONG_S, LONG_S)


@pytest.fixture
def account() -> str:
    return f"contract-{uuid4()}"


def stream(title_id: str = "ml-50") -> Stream:
    """A new one."""
    return Stream(str(uuid_utils.uuid7()), "ml-1", "device-1", "Fernseher im Wohnzimmer 📺", title_id)


async def taken_are(store: SlotStore, account: str, numbers: set[int]) -> None:
    """Returns once these slots of the account are taken, and no other."""

    async def are() -> bool:
        return set((await store.slots(account)).taken) == numbers

    await until(are)


async def test_a_free_slot_is_taken_by_the_first_and_the_next_one_learns_by_whom(
    store: SlotStore, account: str
) -> None:
    first, second = stream(), stream("ml-1")
    assert (await store.slots(account)).taken == {}
    assert await store.take(account, 0, first) == first
    assert await store.take(account, 0, second) == first
    assert (await store.slots(account)).taken == {0: Slot(first)}


async def test_a_repeated_question_has_the_same_answer(store: SlotStore, account: str) -> None:
    first, second = stream(), stream()
    for _ in range(2):
        assert await store.take(account, 0, first) == first
    for _ in range(2):
        assert await store.take_over(account, 0, second, first.session, None)
    for _ in range(2):
        assert await store.renew(account, 0, second)
    for _ in range(2):
        assert await store.pause(account, 0, second)
    for _ in range(2):
        await store.release(account, 0, second.session)
    assert (await store.slots(account)).taken == {}


async def test_slots_and_accounts_are_separate(store: SlotStore, account: str) -> None:
    one, two, three = stream(), stream(), stream()
    await store.take(account, 0, one)
    await store.take(account, 1, two)
    await store.take(f"{account}-other", 0, three)
    assert (await store.slots(account)).taken == {0: Slot(one), 1: Slot(two)}
    await store.release(account, 0, one.session)
    assert (await store.slots(account)).taken == {1: Slot(two)}


async def test_of_many_who_take_one_slot_at_once_one_has_it(store: SlotStore, account: str) -> None:
    streams = [stream() for _ in range(8)]
    holders = await asyncio.gather(*(store.take(account, 0, each) for each in streams))
    assert len({holder.session for holder in holders}) == 1
    assert (await store.slots(account)).taken == {0: Slot(holders[0])}


async def test_only_the_session_that_has_a_slot_changes_it(store: SlotStore, account: str) -> None:
    mine, other = stream(), stream()
    await store.take(account, 0, mine)
    assert not await store.renew(account, 0, other)
    assert not await store.pause(account, 0, other)
    assert not await store.take_over(account, 0, other, other.session, None)
    await store.release(account, 0, other.session)
    assert (await store.slots(account)).taken == {0: Slot(mine)}


async def test_nobody_has_a_slot_that_is_free(store: SlotStore, account: str) -> None:
    mine = stream()
    assert not await store.renew(account, 0, mine)
    assert not await store.pause(account, 0, mine)
    assert not await store.take_over(account, 0, mine, stream().session, None)
    assert (await store.slots(account)).taken == {}


async def test_a_slot_that_was_taken_over_names_whom_it_replaced(store: SlotStore, account: str) -> None:
    old, new = stream(), stream()
    await store.take(account, 0, old)
    assert await store.take_over(account, 0, new, old.session, old.session)
    assert not await store.renew(account, 0, old)
    assert await store.renew(account, 0, new)
    assert (await store.slots(account)).taken == {0: Slot(new, old.session)}
    newest = stream()
    assert await store.take_over(account, 0, newest, new.session, None)
    assert (await store.slots(account)).taken == {0: Slot(newest)}


async def test_a_session_that_freed_its_slot_is_known_for_a_lease(store: SlotStore, make: Make, account: str) -> None:
    mine, other = stream(), stream()
    await store.take(account, 0, mine)
    await store.take(account, 1, other)
    assert (await store.slots(account)).stopped == set()
    await store.release(account, 0, mine.session)
    await make(1, LONG_S).release(account, 1, other.session)

    async def other_is_forgotten() -> bool:
        return await store.slots(account) == Slots({}, {mine.session})

    await until(other_is_forgotten)


async def test_a_slot_that_was_freed_and_taken_again_names_whom_it_replaced(store: SlotStore, account: str) -> None:
    old, new = stream(), stream()
    await store.take(account, 0, old)
    await store.release(account, 0, old.session)
    assert await store.take(account, 0, new) == new
    assert await store.slots(account) == Slots({0: Slot(new, old.session)})
    await store.release(account, 0, new.session)
    assert await store.slots(account) == Slots({}, {new.session})


async def test_a_slot_that_nobody_renews_becomes_free(make: Make, account: str) -> None:
    store = make(1, LONG_S)
    await store.take(account, 0, stream())
    await taken_are(store, account, set())
    after = stream()
    assert await store.take(account, 0, after) == after


async def test_a_renewed_slot_outlives_its_first_lease(make: Make, account: str) -> None:
    short, long, mine = make(2, LONG_S), make(LONG_S, LONG_S), stream()
    while not await long.renew(account, 0, mine):
        await short.take(account, 0, mine)
    await short.take(account, 1, stream())
    await taken_are(long, account, {0})


async def test_a_renewal_lasts_as_long_as_a_lease(store: SlotStore, make: Make, account: str) -> None:
    mine = stream()
    await store.take(account, 0, mine)
    await store.pause(account, 0, mine)
    assert await make(1, LONG_S).renew(account, 0, mine)
    await taken_are(store, account, set())


async def test_a_paused_stream_keeps_its_slot_beyond_a_lease(store: SlotStore, make: Make, account: str) -> None:
    paused = stream()
    await store.take(account, 0, paused)
    await make(1, LONG_S).take(account, 1, stream())
    assert await store.pause(account, 0, paused)
    await taken_are(store, account, {0})


async def test_a_pause_ends_however_often_it_is_reported(store: SlotStore, make: Make, account: str) -> None:
    paused, short = stream(), make(LONG_S, 1)
    await store.take(account, 0, paused)
    assert await short.pause(account, 0, paused)

    async def is_over() -> bool:
        return not await short.pause(account, 0, paused)

    await until(is_over)
    assert (await store.slots(account)).taken == {}
