"""A service as far as its outbox needs one: a table of aggregates with a counter, and transactions that count."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.clock import system_clock
from domain.outbox.ports import URGENT
from infra.engines.kafka.reader import TopicReader
from infra.engines.mariadb import Database
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.stores import outbox_mariadb as outbox
from infra.stores.outbox_mariadb import OUTBOX
from infra.stores.outbox_restoring import Counter
from schemas.events import AccountRecord
from schemas.topics import CHANGE_TOPICS
from tests.support.builders import account_record, revocation_record
from tests.support.pipeline import PATIENCE_S

TOPIC = CHANGE_TOPICS["accounts"]
AGGREGATES = Table(
    "outbox_trials", MetaData(), Column("id", String(64), primary_key=True), Column("accounts_seq", BigInteger)
)
COUNTER = Counter(AGGREGATES.c.id, AGGREGATES.c.accounts_seq)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110  it asks another process
            await asyncio.sleep(0.05)


def account_id() -> str:
    """One that no other test knows."""
    return f"trial-{uuid4()}"


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Database]:
    """Its schema has the table of aggregates, and at the end nothing of it."""
    database = Database(settings, "accounts")

    async def make(connection: AsyncConnection) -> None:
        await connection.run_sync(AGGREGATES.create, checkfirst=True)

    async def drop(connection: AsyncConnection) -> None:
        await connection.execute(delete(OUTBOX).where(OUTBOX.c.aggregateid.like("trial-%")))
        await connection.run_sync(AGGREGATES.drop)

    await database.transact(make)
    try:
        yield database
    finally:
        await database.transact(drop)
        await database.close()


async def sign_up(database: Database, account: str, seq: int = 0) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(insert(AGGREGATES).values(id=account, accounts_seq=seq))

    await database.transact(work)


async def restore(database: Database, account: str, seq: int | None) -> None:
    """The account as a dump had it: with this counter, or not at all; and no row of the outbox."""

    async def work(connection: AsyncConnection) -> None:
        this = AGGREGATES.c.id == account
        await connection.execute(
            delete(AGGREGATES).where(this) if seq is None else update(AGGREGATES).where(this).values(accounts_seq=seq)
        )
        await connection.execute(delete(OUTBOX).where(OUTBOX.c.aggregateid == account))

    await database.transact(work)


async def change(database: Database, account: str, **changes: object) -> int:
    """A change with its record, in one transaction; the record's number."""

    async def work(connection: AsyncConnection) -> int:
        counted = update(AGGREGATES).where(AGGREGATES.c.id == account)
        await connection.execute(counted.values(accounts_seq=AGGREGATES.c.accounts_seq + 1))
        counter = select(AGGREGATES.c.accounts_seq).where(AGGREGATES.c.id == account)
        seq: int = (await connection.execute(counter)).scalar_one()
        fields = {"event_id": str(uuid4()), "received_at": system_clock()} | changes
        await outbox.add(connection, TOPIC, account, account_record(account, seq, **fields))
        return seq

    return await database.transact(work)


async def revoke(database: Database, account: str) -> None:
    """The account's first revocation, of which nothing is counted."""

    async def work(connection: AsyncConnection) -> None:
        await outbox.add(connection, URGENT, account, revocation_record(account, event_id=str(uuid4())))

    await database.transact(work)


def in_kafka(settings: Settings, account: str) -> Sequence[AccountRecord]:
    """The account's records in the order of Kafka's log."""
    registry, log = Registry(settings), TopicReader(settings)
    found = [
        registry.decode(TOPIC.record, payload)
        for name, _, partition, start, end in log.spans([TOPIC.name])
        for batch in (log.read(name, partition, start, end) if start < end else ())
        for _, payload in batch
    ]
    return [record for record in found if isinstance(record, AccountRecord) and record.account_id == account]
