"""A MariaDB cluster whose nodes die and hang under load: what was acknowledged stays, and nothing old is answered."""

import asyncio
import gzip
import os
import re
import shutil
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from infra import mariadb_dumps
from infra.engines import mariadb
from infra.engines.mariadb import Database
from infra.engines.mariadb_nodes import access, cluster_size, open_connection
from infra.engines.unfinished_restores import unmark
from infra.local import mariadb_cluster
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.mariadb_dumps import dump, load
from infra.runtime.settings import LOCAL_NODES, PORT_BASES, Settings
from infra.stores.accounts_mariadb import MariaDbAccounts
from schemas.errors import TransientError
from services.accounts.routes import create_app
from services.accounts.service import AccountsService
from tests.support.fake_metrics import FakeMetrics
from tests.support.household import Household
from tests.support.identity import verifier
from tests.support.pipeline import PATIENCE_S, eventually
from tests.support.soak import repeat

KILLS = repeat(1, soak=30)
PAIRS = repeat(1, soak=5)
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


def kill(stack: Stack, node: str) -> int:
    """The process that is no more. supervisord starts another one at once."""
    killed = stack.pid(node)
    os.kill(killed, signal.SIGKILL)
    return killed


def keep_down(stack: Stack, node: str) -> None:
    """Kill a node, and stop the one that follows before it has joined the others."""
    killed = kill(stack, node)
    eventually(lambda: pid(stack, node) not in (None, killed))
    stack.stop(node)


def started(stack: Stack) -> None:
    """Returns once supervisord counts none of the nodes' earlier ends any more: it gives up after four."""
    eventually(lambda: all(each.uptime_s > 12 for each in stack.status() if each.pid))


def pid(stack: Stack, node: str) -> int | None:
    try:
        return stack.pid(node)
    except StackError:
        return None


@pytest.mark.soak
async def test_a_writer_that_is_killed_under_load_loses_no_acknowledged_transaction_and_repeats_none(
    cluster: Stack, database: Database
) -> None:
    load, seconds = Load(database), []
    async with load.running():
        for turn in range(KILLS):
            if turn:
                await asyncio.to_thread(started, cluster)
            await load.more()
            node = await writer(database)
            killed, since = kill(cluster, node), time.monotonic()
            await load.more()
            seconds.append(time.monotonic() - since)
            await asyncio.to_thread(eventually, lambda: pid(cluster, node) not in (None, killed))  # noqa: B023
            await asyncio.to_thread(mariadb_cluster.wait_for_peers, cluster.settings)
    print(  # noqa: T201
        f"\n{KILLS} kills, {len(load.acknowledged)} transactions; writes went on after {min(seconds):.1f} to"
        f" {max(seconds):.1f} s, at the median {statistics.median(seconds):.1f} s: {[round(s, 1) for s in seconds]}"
    )
    rows, count = await written(database)
    assert rows == sorted(load.acknowledged)
    assert count == len(load.acknowledged)


@pytest.mark.soak
@pytest.mark.parametrize("at_once", [False, pytest.param(True, marks=pytest.mark.soak_only)])
async def test_a_node_whose_two_peers_were_killed_answers_nothing_until_they_are_back(
    cluster: Stack, database: Database, monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    async def add(connection: AsyncConnection) -> None:
        await connection.execute(update(COUNTER).values(n=COUNTER.c.n + 1))

    for pair in range(PAIRS):
        if pair:
            await asyncio.to_thread(started, cluster)
        await database.transact(add)
        await asyncio.to_thread(keep_down, cluster, "mariadb-0")
        if not at_once:
            await database.transact(add)  # as two nodes
        newest = await written(database)
        await asyncio.to_thread(keep_down, cluster, "mariadb-1")
        monkeypatch.setattr(mariadb, "PATIENCE_S", 1)
        await nothing_old_until_refused(database, newest)
        for ask in (written, writer, writer):  # also by a connection from before
            with pytest.raises(TransientError):
                await ask(database)
        monkeypatch.setattr(mariadb, "PATIENCE_S", PATIENCE_S)
        if not at_once:  # the last two that saw each other are enough
            await asyncio.to_thread(cluster.start, "mariadb-1")
            assert await written(database) == newest
        await asyncio.to_thread(cluster.up, ["mariadb"])
        assert await written(database) == newest
    assert newest == ([], PAIRS if at_once else 2 * PAIRS)


def test_a_dump_passes_over_a_node_that_hangs(cluster: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mariadb_dumps, "SILENT_S", 3)
    with hanging(cluster, "mariadb-2"):
        file = dump(cluster.settings, "accounts", tmp_path, datetime(2026, 11, 30, tzinfo=UTC))
    assert b"CREATE TABLE `accounts`" in gzip.decompress(file.read_bytes())
    mariadb_cluster.wait_for_peers(cluster.settings)


def test_a_restore_passes_over_a_node_that_hangs(cluster: Stack, tmp_path: Path) -> None:
    file = dump(cluster.settings, "accounts", tmp_path, datetime(2026, 11, 30, tzinfo=UTC))
    with hanging(cluster, "mariadb-0"):
        load(cluster.settings, "accounts", file)
    mariadb_cluster.wait_for_peers(cluster.settings)
    again = dump(cluster.settings, "accounts", tmp_path, datetime(2026, 12, 1, tzinfo=UTC))
    unmark(cluster.settings, "accounts")
    assert b"CREATE TABLE `accounts`" in gzip.decompress(again.read_bytes())


@pytest.mark.soak_only
@pytest.mark.parametrize("lost", [(0,), (2,), (0, 1)])
async def test_nodes_that_have_lost_their_data_get_all_of_them_from_the_others(
    cluster: Stack, database: Database, lost: tuple[int, ...]
) -> None:
    async def add(connection: AsyncConnection) -> None:
        await connection.execute(update(COUNTER).values(n=COUNTER.c.n + 1))

    await asyncio.to_thread(started, cluster)
    await database.transact(add)
    for node in lost:
        name = f"mariadb-{node}"
        await asyncio.to_thread(keep_down, cluster, name)
        shutil.rmtree(cluster.settings.folder / name / "data")
    if len(lost) == 2:  # the third waits for them; after a stop of all, the node that has seen most begins
        await asyncio.to_thread(cluster.stop, "mariadb")
    else:
        await database.transact(add)
    await asyncio.to_thread(cluster.up, ["mariadb"])
    count = 3 - len(lost)
    assert [await count_at(cluster.settings, LOCAL_NODES[node]) for node in lost] == [count for _ in lost]
    assert await written(database) == ([], count)


async def nothing_old_until_refused(database: Database, newest: tuple[list[int], int]) -> None:
    """Returns once the database answers nothing. Until then its answers are the newest."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                assert await written(database) == newest
            except TransientError:
                return


async def count_at(settings: Settings, host: str) -> int:
    """The counter as this node has it."""
    connection = await open_connection(replace(access(settings, "accounts"), hosts=(host,)), "reader")
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT n FROM counter")
        ((count,),) = await cursor.fetchall()
    connection.close()
    return int(count)


def size(settings: Settings, host: str) -> int:
    """How many nodes this one sees; 0 while it is not Primary."""
    return asyncio.run(cluster_size(access(settings, "accounts"), host))


def is_primary(settings: Settings, host: str) -> bool:
    try:
        return size(settings, host) > 0
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
    client = accounts(database)
    assert (await sign_in(client)).status_code == 401
    with hanging(cluster, "mariadb-0", "mariadb-1"):
        await asyncio.to_thread(eventually, lambda: not is_primary(cluster.settings, "127.0.0.3"))
        monkeypatch.setattr(mariadb, "PATIENCE_S", 1)
        answer = await sign_in(client)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["code"] == "unavailable"
        await refused(written, database)
        with pytest.raises(TransientError):
            await writer(database)  # by a connection from before
        await refused(writer, database)
        monkeypatch.setattr(mariadb, "PATIENCE_S", PATIENCE_S)
    await asyncio.to_thread(mariadb_cluster.wait_for_peers, cluster.settings)
    assert await written(database) == ([], 0)
    await writer(database)
    assert (await sign_in(client)).status_code == 401


async def refused(ask: Callable[[Database], Awaitable[object]], database: Database) -> None:
    """Returns once the node says why it answers none of them. On a busy machine it may not come to that in time."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with pytest.raises(TransientError) as caught:
                await ask(database)
            if re.search(NOT_PRIMARY, str(caught.value)):
                return


def accounts(database: Database) -> httpx.AsyncClient:
    """A client of the accounts service over HTTP."""
    store = MariaDbAccounts(database)
    context = replace(Household().context, store=store)
    service = AccountsService(context, store, verifier(), "http://gateway", True, database.ping, FakeMetrics())
    transport = httpx.ASGITransport(create_app(service, 20005))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:20005")


async def sign_in(client: httpx.AsyncClient) -> httpx.Response:
    """Of somebody who has no account: 401 where the store answers."""
    return await client.post("/v1/session", json={"address": "nobody@example.com", "password": "does not matter"})
