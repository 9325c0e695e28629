"""A MariaDB cluster whose nodes die and hang under load: what was acknowledged stays, and nothing old is answered."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.engines import mariadb
from infra.engines.mariadb import Database
from infra.engines.mariadb_nodes import access, cluster_size
from infra.local import mariadb_cluster
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.runtime.settings import PORT_BASES, Settings
from schemas.errors import TransientError
from tests.support.pipeline import PATIENCE_S, eventually
from tests.support.soak import repeat

KILLS = repeat(1, soak=30)
WRITERS = 4
NOT_PRIMARY = r"127\.0\.0\.3: not Primary"
TABLES = MetaData()
DONE = Table("done", TABLES, Column("id", Integer, primary_key=True, autoincrement=False))
COUNTER = Table("counter", TABLES, Column("id", Integer, primary_key=True, autoincrement=False), Column("n", Integer))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Stack]:
    """Three nodes and nothing else."""
    outer = Settings()
    base = (outer.port_base or PORT_BASES[outer.stack]) + 500
    stack = Stack(Settings(stack=f"{outer.stack}-galera", port_base=base, mariadb_nodes=3))
    stack.wipe()
    try:
        stack.up(["mariadb"])
        yield stack
    finally:
        stack.wipe()


@pytest.fixture
async def database(cluster: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(mariadb, "PATIENCE_S", PATIENCE_S)
    found = Database(cluster.settings, "accounts")

    async def make(connection: AsyncConnection) -> None:
        await connection.run_sync(TABLES.drop_all)
        await connection.run_sync(TABLES.create_all)
        await connection.execute(insert(COUNTER).values(id=1, n=0))

    await found.transact(make)
    yield found
    await found.close()


@dataclass
class Load:
    """Transactions one after the other, each of which writes a row that all of them write."""

    database: Database
    acknowledged: list[int] = field(default_factory=list)
    _next: int = 0
    _over: bool = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WRITERS):
                tasks.create_task(self._write())
            yield
            self._over = True

    async def more(self) -> None:
        """Return once others were acknowledged that began from now on."""
        first = self._next
        async with asyncio.timeout(PATIENCE_S):
            while not any(each >= first for each in self.acknowledged[-WRITERS:]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _write(self) -> None:
        while not self._over:
            number, self._next = self._next, self._next + 1

            async def work(connection: AsyncConnection, number: int = number) -> None:
                await connection.execute(update(COUNTER).values(n=COUNTER.c.n + 1))
                await connection.execute(insert(DONE).values(id=number))

            await self.database.transact(work)
            self.acknowledged.append(number)


async def writer(database: Database) -> str:
    """Name of the node that takes writes."""

    async def work(connection: AsyncConnection) -> str:
        return str(await connection.scalar(text("SELECT @@wsrep_node_name")))

    return await database.transact(work)


async def written(database: Database) -> tuple[list[int], int]:
    async def read(connection: AsyncConnection) -> tuple[list[int], int]:
        rows = list(await connection.scalars(select(DONE.c.id).order_by(DONE.c.id)))
        return rows, (await connection.execute(select(COUNTER.c.n))).scalar_one()

    return await database.read(read)


def pid(stack: Stack, node: str) -> int | None:
    try:
        return stack.pid(node)
    except StackError:
        return None


@pytest.mark.soak
async def test_a_writer_that_is_killed_under_load_loses_no_acknowledged_transaction_and_repeats_none(
    cluster: Stack, database: Database
) -> None:
    load = Load(database)
    async with load.running():
        for _ in range(KILLS):
            await load.more()
            node = await writer(database)
            killed = cluster.pid(node)
            os.kill(killed, signal.SIGKILL)
            await load.more()
            await asyncio.to_thread(eventually, lambda: pid(cluster, node) not in (None, killed))  # noqa: B023
            await asyncio.to_thread(mariadb_cluster.wait_for_peers, cluster.settings)
    rows, count = await written(database)
    assert rows == sorted(load.acknowledged)
    assert count == len(load.acknowledged)


def is_primary(settings: Settings, host: str) -> bool:
    try:
        return asyncio.run(cluster_size(access(settings, "accounts"), host)) > 0
    except TransientError:
        return False


@contextmanager
def hanging(stack: Stack, *nodes: str) -> Iterator[None]:
    pids = [stack.pid(node) for node in nodes]
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)


async def test_a_node_without_a_majority_answers_nothing_until_another_is_back(
    cluster: Stack, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hanging(cluster, "mariadb-0", "mariadb-1"):
        await asyncio.to_thread(eventually, lambda: not is_primary(cluster.settings, "127.0.0.3"))
        monkeypatch.setattr(mariadb, "PATIENCE_S", 1)
        with pytest.raises(TransientError, match=NOT_PRIMARY):
            await written(database)
        with pytest.raises(TransientError):
            await writer(database)  # by a connection from before
        with pytest.raises(TransientError, match=NOT_PRIMARY):
            await writer(database)
        monkeypatch.setattr(mariadb, "PATIENCE_S", PATIENCE_S)
    await asyncio.to_thread(mariadb_cluster.wait_for_peers, cluster.settings)
    assert await written(database) == ([], 0)
    await writer(database)
