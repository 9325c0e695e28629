"""Outbox, relay and Kafka together: what was committed is published, in order, whatever becomes of relays."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.engines.kafka.publisher import BulkProducer
from infra.engines.mariadb import Database
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.stores.outbox_mariadb import MariaOutbox
from infra.stores.outbox_restoring import raise_counters
from schemas.codec import encode
from schemas.errors import InvalidEvent
from schemas.framing import frame
from tests.support.builders import account_record
from tests.support.outboxes import COUNTER, TOPIC, account_id, change, in_kafka, restore, service, sign_up, until
from tests.support.pipeline import PATIENCE_S

LEASE_S = "60"
"""So long that Kafka, which has a third of it, acknowledges each batch in time. Tests end it in the database."""
Relay = subprocess.Popen[bytes]


@pytest.fixture
async def database(stack: Settings) -> AsyncIterator[Database]:
    async with service(stack) as found:
        yield found


@pytest.fixture
async def start(database: Database) -> AsyncIterator[Callable[[str], Relay]]:
    """Starts a module as a process; all of them are killed after the test."""
    started: list[Relay] = []

    def relay(module: str = "streams.relay.main") -> Relay:
        environment = {**os.environ, "PLAYHEAD_RELAY_LEASE_SECONDS": LEASE_S}
        started.append(subprocess.Popen([sys.executable, "-m", module], env=environment))
        return started[-1]

    yield relay
    for each in started:
        each.kill()
        await ended(each)
    await end_lease(database)


async def end_lease(database: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("UPDATE outbox_lease SET expires_at = '2000-01-01'"))

    await database.transact(work)


async def come(settings: Settings, account: str, seq: int) -> None:
    """Until the newest of the account's records in Kafka is this one."""

    async def came() -> bool:
        found = await asyncio.to_thread(in_kafka, settings, account)
        return [record.seq for record in found][-1:] == [seq]

    await until(came)


async def ended(relay: Relay) -> int:
    return await asyncio.to_thread(relay.wait, PATIENCE_S)


def stopped(relay: Relay) -> bool:
    return Path(f"/proc/{relay.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def test_nothing_that_was_committed_is_missing_in_kafka_after_kills_of_the_relay(
    stack: Settings, database: Database, start: Callable[..., Relay]
) -> None:
    one, other = account_id(), account_id()
    for account in (one, other):
        await sign_up(database, account)
    for _ in range(2):
        relay = start()
        for _ in range(10):
            await asyncio.gather(change(database, one), change(database, other))
        await until(lambda: _any_in(stack, one))
        relay.send_signal(signal.SIGKILL)
        await ended(relay)
        await end_lease(database)
    relay = start()
    await asyncio.gather(change(database, one), change(database, other))
    for account in (one, other):
        await come(stack, account, 21)
        first_seen = list(dict.fromkeys(record.seq for record in in_kafka(stack, account)))
        assert first_seen == list(range(1, 22))
    relay.terminate()
    assert await ended(relay) == 0
    next_one = MariaOutbox(database, "next", 60)
    assert await next_one.hold(), "a relay that ends hands its lease over"
    await next_one.release()


async def _any_in(stack: Settings, account: str) -> bool:
    return bool(await asyncio.to_thread(in_kafka, stack, account))


async def test_a_relay_that_sleeps_through_its_lease_marks_nothing_and_the_newest_record_is_last_again(
    stack: Settings, database: Database, start: Callable[..., Relay]
) -> None:
    account = account_id()
    await sign_up(database, account)
    for _ in range(3):
        await change(database, account)
    late = start("tests.integration.streams.stopping_relay")

    async def sleeps() -> bool:
        return stopped(late)

    await until(sleeps)
    await end_lease(database)
    start()
    await come(stack, account, 3)
    await change(database, account)
    await come(stack, account, 4)
    late.send_signal(signal.SIGCONT)
    assert await ended(late) == 1
    await come(stack, account, 4)
    seqs = [record.seq for record in in_kafka(stack, account)]
    assert list(dict.fromkeys(seqs)) == [1, 2, 3, 4]
    assert 3 in seqs[seqs.index(4) :], "the late one published behind the newest"


async def test_a_number_goes_on_where_it_was_when_the_outbox_has_been_emptied(database: Database) -> None:
    account = account_id()
    await sign_up(database, account)
    assert [await change(database, account) for _ in range(2)] == [1, 2]
    relay = MariaOutbox(database, "relay", 60)
    await until(relay.hold)
    await relay.mark([row.id for row in await relay.unpublished(10_000) if row.aggregate == account], now=1_000)
    assert await relay.forget(2_000, limit=10_000) == 2
    assert await change(database, account) == 3
    await relay.release()


async def test_a_record_that_breaks_a_rule_fails_its_transaction_and_leaves_no_trace(database: Database) -> None:
    account = account_id()
    await sign_up(database, account)
    with pytest.raises(InvalidEvent, match="device_id is missing"):
        await change(database, account, kind="device")
    assert await change(database, account) == 1
    rows = await MariaOutbox(database, "reader", 60).unpublished(10_000)
    assert [row.seq for row in rows if row.aggregate == account] == [1]


async def test_what_is_refused_and_all_behind_it_is_named_as_not_acknowledged(stack: Settings) -> None:
    payload = frame(Registry(stack).ids()[TOPIC.record], encode(account_record(account_id())))
    producer, good = BulkProducer(stack), (TOPIC.name, b"trial", payload)
    too_large = TOPIC.name, b"trial", bytes(3 * 2**20)
    assert producer.attempt([good, too_large, good]) == {1, 2}
    assert producer.attempt([good]) == set()


async def test_a_restored_database_gives_no_number_twice_and_what_it_lacks_is_named(
    stack: Settings, database: Database, start: Callable[..., Relay]
) -> None:
    dumped, unknown = account_id(), account_id()
    for account in (dumped, unknown):
        await sign_up(database, account)
        for _ in range(3):
            await change(database, account)
    relay = start()
    for account in (dumped, unknown):
        await come(stack, account, 3)
    relay.terminate()
    await ended(relay)
    await restore(database, dumped, 1)
    await restore(database, unknown, None)

    lacking = await raise_counters(stack, database, {TOPIC: COUNTER})
    ours = [(record.account_id, record.seq) for record in lacking if record.account_id in (dumped, unknown)]
    assert sorted(ours) == sorted([(dumped, 2), (dumped, 3), (unknown, 1), (unknown, 2), (unknown, 3)])
    assert await change(database, dumped) == 4
    again = await raise_counters(stack, database, {TOPIC: COUNTER})
    assert [record.seq for record in again if record.account_id == dumped] == []
