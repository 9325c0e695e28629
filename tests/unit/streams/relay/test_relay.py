import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from domain.metrics import OUTBOX_OLDEST, OUTBOX_PUBLISHED, OUTBOX_WAITING
from domain.outbox.lease import Lease
from schemas.errors import TransientError
from schemas.topics import DAY_MS
from streams.relay.relay import Late, Relay
from tests.support.fake_metrics import FakeMetrics
from tests.support.fake_outbox import FakeOutbox, FakeTopics, OutboxTable, rows

LEASE_S = 30.0


@dataclass
class World:
    """One outbox, one Kafka, a clock, and as many relays as a test wants."""

    now: float = 1_000.0
    topics: FakeTopics = field(default_factory=FakeTopics)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)

    def __post_init__(self) -> None:
        self.table = OutboxTable(lambda: self.now)

    def relay(self, holder: str = "one", topics: FakeTopics | None = None) -> Relay:
        outbox, lease = FakeOutbox(self.table, holder, LEASE_S), Lease(LEASE_S, lambda: self.now)
        return Relay("accounts", outbox, topics or self.topics, lease, self.metrics, lambda: int(self.now * 1000))

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110  no event says that the table changed
            await asyncio.sleep(0)


@pytest.fixture
def world() -> World:
    return World()


async def test_rows_are_published_in_the_order_of_seq_and_marked(world: World) -> None:
    world.table.add(*rows("b", [1]), *rows("a", [2, 1]))
    relay = world.relay()
    assert await relay.step()
    assert [(row.aggregate, row.seq) for row in world.topics.records] == [("a", 1), ("a", 2), ("b", 1)]
    assert world.table.published.keys() == {"a-1", "a-2", "b-1"}
    assert world.metrics.counts[OUTBOX_PUBLISHED] == {("playhead.accounts",): 3}
    assert not await relay.step()


async def test_what_comes_after_a_row_that_was_given_up_is_published_again_behind_it(world: World) -> None:
    world.table.add(*rows("a", [1, 2, 3]), *rows("b", [1]))
    world.topics.lost = {"a-2"}
    relay = world.relay()
    with pytest.raises(TransientError, match="1 of 4 records"):
        await relay.step()
    assert world.table.published.keys() == {"a-1", "b-1"}
    world.topics.lost = set()
    await relay.step()
    assert world.topics.seqs("a") == [1, 3, 2, 3]
    assert world.topics.seqs("b") == [1]


async def test_without_the_lease_nothing_is_published(world: World) -> None:
    world.table.add(*rows("a", [1]))
    await world.relay("other").step()
    world.table.add(*rows("a", [2]))
    assert not await world.relay().step()
    assert world.topics.seqs("a") == [1]


async def test_no_batch_begins_that_could_outlive_the_lease(world: World) -> None:
    relay = world.relay()
    await relay.step()
    world.now += LEASE_S + 1
    other = world.relay("other")
    await other.step()
    world.table.add(*rows("a", [1]))
    assert not await relay.step()
    assert world.topics.records == []


async def test_the_lease_is_renewed_before_it_grows_short_and_by_each_mark(world: World) -> None:
    relay = world.relay()
    for number in range(1, 9):
        world.table.add(*rows("a", [number]))
        assert await relay.step()
        world.now += LEASE_S / 2 + 1
    assert world.topics.seqs("a") == list(range(1, 9))


async def test_a_relay_that_was_stopped_while_another_went_on_lets_the_newest_be_published_again_and_ends(
    world: World,
) -> None:
    world.table.add(*rows("a", [1, 2]), *rows("b", [1]))

    def stopped() -> None:
        """Longer than the lease: the other one takes over and publishes all, and more."""
        world.now += LEASE_S + 1
        world.table.add(*rows("a", [3]))
        asyncio.run(world.relay("other").step())

    late = FakeTopics(before=stopped, records=world.topics.records)
    with pytest.raises(Late):
        await world.relay("one", late).step()
    world.topics.records = late.records
    assert world.topics.seqs("a") == [1, 2, 3, 1, 2]
    assert world.table.published.keys() == {"a-1", "a-2"}
    assert await world.relay("other").step()
    assert world.topics.seqs("a")[-1] == 3
    assert world.topics.seqs("b") == [1, 1, 1]


async def test_a_relay_that_is_unsure_of_a_record_and_then_loses_the_lease_is_late_too(world: World) -> None:
    world.table.add(*rows("a", [1]))
    world.topics.lost = {"a-1"}
    relay = world.relay()
    with pytest.raises(TransientError):
        await relay.step()
    world.now += LEASE_S + 1
    world.topics.lost = set()
    await world.relay("other").step()
    with pytest.raises(Late):
        await relay.step()
    assert world.table.published == {}


async def test_a_relay_that_waits_for_the_lease_takes_over_when_the_other_one_stops(world: World) -> None:
    stops = [asyncio.Event(), asyncio.Event()]
    first = asyncio.create_task(world.relay("first").run(stops[0]))
    await world.until(lambda: world.table.holder == "first")
    second = asyncio.create_task(world.relay("second").run(stops[1]))
    stops[0].set()
    await first
    world.table.add(*rows("a", [1]))
    await world.until(lambda: bool(world.table.published))
    assert world.table.holder == "second"
    stops[1].set()
    await second


async def test_a_relay_that_stops_hands_its_lease_over_at_once(world: World) -> None:
    stop = asyncio.Event()
    world.table.add(*rows("a", [1]))
    relay = world.relay()
    running = asyncio.create_task(relay.run(stop))
    await world.until(lambda: bool(world.table.published))
    stop.set()
    await running
    world.table.add(*rows("a", [2]))
    assert await world.relay("other").step()


async def test_what_waits_is_reported_by_every_relay_and_old_rows_are_deleted_by_day(world: World) -> None:
    world.now = 30 * DAY_MS / 1000 + 3_600
    world.table.add(*rows("a", [1, 2, 3]), at=int(world.now * 1000) - 90_000)
    world.table.published = {"a-1": 23 * DAY_MS - 1, "a-2": 23 * DAY_MS}
    stop = asyncio.Event()
    reporting = asyncio.create_task(world.relay("a relay without the lease").report(stop))
    await world.until(lambda: "a-1" not in world.table.rows)
    stop.set()
    await reporting
    assert world.metrics.gauges[OUTBOX_WAITING] == {("accounts",): 1}
    assert world.metrics.gauges[OUTBOX_OLDEST] == {("accounts",): 90}
    assert world.table.rows.keys() == {"a-2", "a-3"}
