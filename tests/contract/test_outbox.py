"""The contract of a relay's outbox, for the fake and for MariaDB."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from domain.outbox.ports import URGENT, Outbox
from domain.outbox.rows import Key, Row
from infra.engines.mariadb import Database
from infra.runtime.settings import Settings
from infra.stores.outbox_mariadb import MariaOutbox
from tests.support.fake_outbox import FakeOutbox, OutboxTable
from tests.support.fake_outbox import rows as fake_rows
from tests.support.outboxes import TOPIC, account_id, change, revoke, service, sign_up, until

LEASE_S = 0.5
PLENTY = 10_000


@dataclass
class Shared:
    """What the relays of a test share. Other tests' rows may be in it."""

    relay: Callable[[str, float], Outbox]
    write: Callable[[str, int], Awaitable[None]]
    """So many more rows of a key."""
    revoke: Callable[[str], Awaitable[None]]
    """An urgent row of this account."""

    async def unpublished(self, *accounts: str) -> Sequence[tuple[str, int]]:
        return [(row.aggregate, row.seq) for row in await self.rows(*accounts)]

    async def rows(self, *accounts: str) -> Sequence[Row]:
        found = await self.relay("a reader", LEASE_S).unpublished(PLENTY)
        return [row for row in found if row.aggregate in accounts]


def fake() -> Shared:
    table = OutboxTable(time.monotonic)

    async def write(account: str, count: int) -> None:
        there = len([row for row in table.rows.values() if row.aggregate == account])
        table.add(*fake_rows(account, range(there + 1, there + count + 1)))

    async def revoke(account: str) -> None:
        table.add(replace(fake_rows(account, [1])[0], id=f"{account}-revoked", topic=URGENT.name))

    return Shared(lambda holder, seconds: FakeOutbox(table, holder, seconds), write, revoke)


def real(database: Database) -> Shared:
    known: set[str] = set()

    async def write(account: str, count: int) -> None:
        if account not in known:
            await sign_up(database, account)
            known.add(account)
        for _ in range(count):
            await change(database, account)

    async def revoke_(account: str) -> None:
        await revoke(database, account)

    return Shared(lambda holder, seconds: MariaOutbox(database, holder, seconds), write, revoke_)


@pytest.fixture(params=["fake", pytest.param("mariadb", marks=pytest.mark.engines)])
def settings(request: pytest.FixtureRequest) -> Settings | None:
    return None if request.param == "fake" else request.getfixturevalue("stack")


@pytest.fixture
async def shared(settings: Settings | None) -> AsyncIterator[Shared]:
    if settings is None:
        yield fake()
        return
    async with service(settings) as database:
        found = real(database)
        yield found
        await found.relay("the last one", LEASE_S).release()


async def held(outbox: Outbox) -> None:
    """Once the lease of another one has ended."""
    await until(outbox.hold)


async def test_rows_come_in_the_order_of_seq_and_those_that_are_marked_no_more(shared: Shared) -> None:
    one, other = account_id(), account_id()
    await shared.write(one, 3)
    await shared.write(other, 1)
    relay = shared.relay("relay", 60)
    await held(relay)
    expected = [(one, 1), (one, 2), (one, 3)], [(other, 1)]
    assert [await shared.unpublished(each) for each in (one, other)] == [*expected]
    assert await relay.mark([row.id for row in await shared.rows(one)][:2], now=1_000)
    assert await shared.unpublished(one, other) == sorted([(one, 3), (other, 1)])
    await relay.release()


async def test_revocations_come_before_whatever_waits(shared: Shared) -> None:
    one, relay = account_id(), shared.relay("relay", LEASE_S)
    await shared.write(one, 2)
    await shared.revoke(one)
    assert [row.topic for row in await shared.rows(one)] == [URGENT.name, TOPIC.name, TOPIC.name]
    assert [row.topic for row in await relay.unpublished(1)] == [URGENT.name]


async def test_what_waits_is_counted_with_the_time_of_the_oldest(shared: Shared) -> None:
    account, relay = account_id(), shared.relay("relay", 60)
    before = await relay.waiting()
    await shared.write(account, 2)
    after = await relay.waiting()
    assert after.rows - before.rows == 2
    assert after.oldest_at is not None


async def test_one_relay_at_a_time_holds_the_lease_and_a_stop_hands_it_over_at_once(shared: Shared) -> None:
    first, second = shared.relay("first", 60), shared.relay("second", 60)
    await held(first)
    assert await first.hold()
    assert not await second.hold()
    await second.release()
    assert not await second.hold()
    await first.release()
    assert await second.hold()
    await second.release()


async def test_a_lease_ends_by_itself_and_then_its_holder_marks_nothing(shared: Shared) -> None:
    account = account_id()
    await shared.write(account, 1)
    first, second = shared.relay("first", LEASE_S), shared.relay("second", 60)
    await held(first)
    await held(second)
    ids = [row.id for row in await shared.rows(account)]
    assert not await first.mark(ids, now=1_000)
    assert await shared.unpublished(account) == [(account, 1)]
    assert await second.mark(ids, now=1_000)
    assert await shared.unpublished(account) == []
    await second.release()


async def test_the_newest_row_of_a_key_can_be_published_again(shared: Shared) -> None:
    one, other = account_id(), account_id()
    await shared.write(one, 3)
    await shared.write(other, 2)
    relay = shared.relay("relay", 60)
    await held(relay)
    await relay.mark([row.id for row in await shared.rows(one, other)], now=1_000)
    await shared.relay("late", 60).publish_again([Key(TOPIC.name, one)])
    assert await shared.unpublished(one, other) == [(one, 3)]
    await relay.release()


async def test_only_what_was_published_before_a_time_is_deleted(shared: Shared) -> None:
    account, relay = account_id(), shared.relay("relay", 60)
    await shared.write(account, 3)
    await held(relay)
    first, second, _ = await shared.rows(account)
    await relay.mark([first.id], now=1_000)
    await relay.mark([second.id], now=2_000)
    assert [await relay.forget(before, PLENTY) for before in (1_000, 2_000, 2_000, 3_000)] == [0, 1, 0, 1]
    assert await shared.unpublished(account) == [(account, 3)]
    await relay.release()
