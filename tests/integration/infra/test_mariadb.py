"""Transactions on a real MariaDB: each is done once, whatever becomes of locks, connections and answers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncmy
import pytest
from asyncmy.errors import MySQLError
from sqlalchemy import Column, Integer, MetaData, Table, event, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.engines import mariadb, mariadb_nodes
from infra.engines.mariadb import TRANSACTIONS, Database
from infra.engines.mariadb_nodes import access, open_connection
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from schemas.errors import AccessDenied, TransientError
from tests.support.administrator import administrate
from tests.support.authority import Authority
from tests.support.pipeline import PATIENCE_S
from tests.support.unreliable_line import Line, line_to

TRIALS = Table(
    "trials", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False), Column("count", Integer)
)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take long; a lock is given up soon."""
    monkeypatch.setattr(mariadb, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(mariadb_nodes, "LOCK_WAIT_S", 1)


@pytest.fixture
async def database(stack: Settings) -> AsyncIterator[Database]:
    """With a table of two rows."""
    found = Database(stack, "accounts")

    async def make(connection: AsyncConnection) -> None:
        await connection.run_sync(TRIALS.create)
        await connection.execute(insert(TRIALS), [{"id": 1, "count": 0}, {"id": 2, "count": 0}])

    async def drop(connection: AsyncConnection) -> None:
        await connection.run_sync(TRIALS.drop, checkfirst=True)

    await found.transact(drop)
    await found.transact(make)
    yield found
    await found.transact(drop)
    await found.close()


def elsewhere(stack: Settings, **changes: Any) -> Settings:
    """The same server as somebody else's: settings say where it is, and as whom to connect."""
    own = access(stack, "accounts")
    given = {
        "mariadb_hosts": ("127.0.0.1",),
        "mariadb_port": own.port,
        "mariadb_passwords": {"accounts": own.password},
        "mariadb_ca_file": own.ca_file,
    }
    return Settings.model_validate(stack.model_dump(include=stack.model_fields_set) | given | changes)


async def raise_count(connection: AsyncConnection, row: int = 1) -> int:
    """The rows that were found."""
    statement = update(TRIALS).where(TRIALS.c.id == row).values(count=TRIALS.c.count + 1)
    return (await connection.execute(statement)).rowcount


async def counts(database: Database) -> list[int]:
    async def read(connection: AsyncConnection) -> list[int]:
        return list(await connection.scalars(select(TRIALS.c.count).order_by(TRIALS.c.id)))

    return await database.read(read)


async def test_what_was_committed_is_read_and_rows_that_were_found_are_counted(database: Database) -> None:
    assert await database.transact(raise_count) == 1
    assert await database.transact(lambda connection: raise_count(connection, row=9)) == 0
    assert await counts(database) == [1, 0]


async def test_an_error_of_the_work_rolls_everything_back_and_is_not_repeated(database: Database) -> None:
    runs = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal runs
        runs += 1
        await raise_count(connection)
        await connection.execute(insert(TRIALS).values(id=2, count=0))

    with pytest.raises(IntegrityError):
        await database.transact(work)
    assert (runs, await counts(database)) == (1, [0, 0])


async def test_two_transactions_that_block_each_other_are_both_done(database: Database) -> None:
    both = asyncio.Barrier(2)
    runs = 0

    async def work(connection: AsyncConnection, first: int, second: int) -> None:
        nonlocal runs
        runs += 1
        await raise_count(connection, first)
        if runs <= 2:
            await both.wait()
        await raise_count(connection, second)

    await asyncio.gather(
        database.transact(lambda connection: work(connection, 1, 2)),
        database.transact(lambda connection: work(connection, 2, 1)),
    )
    assert (runs, await counts(database)) == (3, [2, 2])


async def test_a_transaction_is_repeated_as_a_whole_until_a_lock_is_free(database: Database) -> None:
    locked, repeated = asyncio.Event(), asyncio.Event()
    runs = 0

    async def hold(connection: AsyncConnection) -> None:
        await raise_count(connection, 2)
        locked.set()
        await repeated.wait()

    async def work(connection: AsyncConnection) -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            repeated.set()
        await raise_count(connection, 1)
        await raise_count(connection, 2)

    holding = asyncio.create_task(database.transact(hold))
    await locked.wait()
    await database.transact(work)
    await holding
    assert runs >= 2
    assert await counts(database) == [1, 2]


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(OperationalError, match="READ ONLY transaction"):
        await database.read(raise_count)


async def test_a_replica_answers_nobody_while_a_server_that_is_alone_answers_readers(
    stack: Settings, database: Database
) -> None:
    given = access(stack, "accounts")
    administrate(stack, "SET GLOBAL read_only = ON")
    try:
        with pytest.raises(TransientError, match="a replica, which may be behind"):
            await open_connection(replace(given, hosts=(*given.hosts, *given.hosts)), "reader")
        assert await counts(database) == [0, 0]
    finally:
        administrate(stack, "SET GLOBAL read_only = OFF")


async def test_a_server_that_dies_at_work_comes_back_and_the_work_is_done_once(
    local_stack: Stack, database: Database
) -> None:
    runs = 0

    async def work(connection: AsyncConnection) -> int:
        nonlocal runs
        runs += 1
        found = await raise_count(connection)
        if runs == 1:
            os.kill(local_stack.pid("mariadb"), signal.SIGKILL)
        return found

    assert await database.transact(work) == 1
    assert runs >= 2
    assert await counts(database) == [1, 0]


# COMMIT without an answer


@pytest.fixture
async def line(stack: Settings) -> AsyncIterator[Line]:
    async with line_to(stack.sql_port) as made:
        yield made


@pytest.fixture
async def behind_line(stack: Settings, line: Line) -> AsyncIterator[Database]:
    found = Database(elsewhere(stack, mariadb_port=line.port), "accounts")
    yield found
    await found.close()


def at_next_commit(database: Database, do: Any) -> None:
    event.listen(database._writer.sync_engine, "commit", lambda _: do(), once=True)


async def test_a_commit_whose_answer_is_lost_is_not_repeated(
    database: Database, behind_line: Database, line: Line
) -> None:
    at_next_commit(behind_line, lambda: setattr(line, "lose_answer", True))
    assert await behind_line.transact(raise_count) == 1
    assert await counts(database) == [1, 0]


async def test_a_commit_that_never_arrives_is_repeated(database: Database, behind_line: Database, line: Line) -> None:
    runs = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal runs
        runs += 1
        await raise_count(connection)

    at_next_commit(behind_line, lambda: setattr(line, "keep_request", True))
    done = asyncio.create_task(behind_line.transact(work))
    await line.kept.wait()
    line.drop()
    await done
    assert (runs, await counts(database)) == (2, [1, 0])


async def test_a_commit_that_arrives_late_is_waited_for_and_not_repeated(
    database: Database, behind_line: Database, line: Line
) -> None:
    runs = 0

    async def work(connection: AsyncConnection) -> None:
        nonlocal runs
        runs += 1
        await raise_count(connection)

    at_next_commit(behind_line, lambda: setattr(line, "keep_request", True))
    done = asyncio.create_task(behind_line.transact(work))
    await line.kept.wait()
    await asyncio.wait([done], timeout=2)  # longer than a lock is waited for
    assert not done.done()
    await line.deliver()
    await done
    assert (runs, await counts(database)) == (1, [1, 0])


async def test_the_row_of_an_old_transaction_says_whether_it_was_given_up(
    database: Database, behind_line: Database, line: Line
) -> None:
    async def given_up(connection: AsyncConnection) -> int:
        rows = await connection.execute(select(TRANSACTIONS).where(TRANSACTIONS.c.given_up))
        return len(rows.all())

    before = await database.read(given_up)
    at_next_commit(behind_line, lambda: setattr(line, "keep_request", True))
    done = asyncio.create_task(behind_line.transact(raise_count))
    await line.kept.wait()
    line.drop()
    await done
    assert await database.read(given_up) == before + 1


# Doors


async def test_settings_alone_lead_to_another_server(stack: Settings, database: Database) -> None:
    other = Database(elsewhere(stack), "accounts")
    await other.transact(raise_count)
    await other.close()
    assert await counts(database) == [1, 0]


async def test_a_wrong_password_or_authority_is_named_at_once(stack: Settings, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger").ca_file
    for changes, setting in (
        ({"mariadb_passwords": {"accounts": "guessed"}}, "PLAYHEAD_MARIADB_PASSWORDS"),
        ({"mariadb_ca_file": stranger}, "PLAYHEAD_MARIADB_CA_FILE"),
    ):
        refused = Database(elsewhere(stack, **changes), "accounts")
        with pytest.raises(AccessDenied, match=setting):
            await refused.transact(raise_count)
        await refused.close()


async def test_nobody_gets_in_without_a_password_or_without_encryption(stack: Settings) -> None:
    own = access(stack, "accounts")
    given = {"host": "127.0.0.1", "port": own.port}
    for user, password in (("root", ""), (own.user, ""), (own.user, own.password)):
        with pytest.raises(MySQLError):
            await asyncmy.connect(user=user, password=password, **given)
