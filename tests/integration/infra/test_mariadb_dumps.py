"""A dump of the services' tables, and the way back from it with what Kafka knows."""

import asyncio
import gzip
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.accounts.model import Account
from domain.accounts.records import change
from domain.lake.keys import Chain
from domain.lake.objects import pack
from domain.processes import OWNERS
from infra.commands.database import COUNTERS
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.mariadb import TRANSACTIONS, Database
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local.program import StackError
from infra.local.stack import Stack
from infra.mariadb_dumps import forget, load, newest
from infra.runtime.settings import Settings
from infra.stores.accounts_mariadb import MariaDbAccounts
from infra.stores.accounts_tables import ACCOUNTS
from infra.stores.outbox_restoring import raise_counters
from schemas import avro
from schemas.codec import encode
from schemas.framing import frame
from schemas.topics import CHANGE_TOPICS
from tests.integration.streams.lake import with_new_lake
from tests.support.builders import T0, account_record, revocation_record
from tests.support.pipeline import playhead

TOPIC, REVOCATIONS = CHANGE_TOPICS["accounts"], CHANGE_TOPICS["revocations"]


def new_id() -> str:
    return str(uuid4())


def first_account() -> str:
    """The command shows the first accounts by id: those of other tests come later."""
    return f"0-{uuid4()}"


async def sign_up(database: Database, account_id: str) -> None:
    made = change(None, Account(account_id, f"{account_id}@example.com", "hash", "NL", T0), T0, new_id)
    assert await MariaDbAccounts(database).apply(made)


async def row(database: Database, account_id: str) -> tuple[int, int, int] | None:
    """Version, number of the last record, streams."""

    async def read(connection: AsyncConnection) -> tuple[int, int, int] | None:
        columns = (ACCOUNTS.c.version, ACCOUNTS.c.accounts_seq, ACCOUNTS.c.streams)
        found = (await connection.execute(select(*columns).where(ACCOUNTS.c.account_id == account_id))).first()
        return None if found is None else tuple(found)

    return await database.read(read)


async def give_streams(database: Database, account_id: str) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.account_id == account_id).values(streams=9))

    await database.transact(work)


def publish(settings: Settings, *numbered: tuple[str, int]) -> None:
    """Records that a relay published, by account and number."""
    schema = Registry(settings).ids()[TOPIC.record]
    records = [account_record(account, seq) for account, seq in numbered]
    BulkProducer(settings).write(
        [(TOPIC.name, each.account_id.encode(), frame(schema, encode(each))) for each in records]
    )


async def test_what_came_after_a_dump_is_gone_and_named_and_no_number_is_used_twice(
    stack: Settings, tmp_path: Path
) -> None:
    database = Database(stack, "accounts")
    known, later = first_account(), first_account()
    await sign_up(database, known)
    before = await row(database, known)
    assert before
    version, seq, streams = before
    dumped = await asyncio.to_thread(playhead, "database", "dump", "--to", str(tmp_path))
    assert dumped.returncode == 0, dumped.stderr
    await give_streams(database, known)
    await sign_up(database, later)
    publish(stack, (known, seq), (known, seq + 3), (later, 1))

    file = str(newest("accounts", tmp_path))
    restored = await asyncio.to_thread(playhead, "database", "restore", "accounts", file)
    assert restored.returncode == 0, restored.stderr + restored.stdout
    assert f"{known}, seq {seq + 3}, " in restored.stdout
    assert f"{known}, seq {seq}, " not in restored.stdout
    assert f"{later}, seq 1, " in restored.stdout
    assert await row(database, known) == (version, seq + 3, streams)
    assert await row(database, later) is None
    await database.close()


async def test_a_number_that_only_the_lake_remembers_is_not_used_again(stack: Settings) -> None:
    database, account, lake = Database(stack, "accounts"), first_account(), with_new_lake(stack)
    await sign_up(database, account)
    written = [encode(revocation_record(account, seq)) for seq in (1, 2)]
    chain, schema = Chain(REVOCATIONS.name, "gone-from-kafka", 0), avro.schema(REVOCATIONS.record)
    file = pack(chain, 0, schema, written, Registry(stack).ids()[REVOCATIONS.record])
    ObjectStore(lake).put_if_absent(file.key, file.body, file.metadata)

    counters = {REVOCATIONS: COUNTERS["accounts"][REVOCATIONS]}
    lacking = await raise_counters(lake, database, counters)
    assert [(each.account_id, each.seq) for each in lacking if each.account_id == account] == [
        (account, 1),
        (account, 2),
    ]
    found = await MariaDbAccounts(database).by_id(account)
    assert found
    assert found.seqs.revocations == 2
    await database.close()


def test_a_dump_that_is_not_whole_replaces_nothing(stack: Settings, tmp_path: Path) -> None:
    for name, content in (("cut", gzip.compress(b"DROP TABLE accounts;\n" * 99)[:-9]), ("half", gzip.compress(b"x"))):
        file = tmp_path / f"{name}.sql.gz"
        file.write_bytes(content)
        with pytest.raises(StackError, match=f"{name}.sql.gz"):
            load(stack, "accounts", file)


def test_dumps_are_their_owner_s_alone_and_the_newest_stay(stack: Settings, tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    for day in range(1, 4):
        (tmp_path / "accounts" / f"2026010{day}T000000Z.sql.gz").touch()
    done = playhead("database", "dump", "--to", str(tmp_path), "--keep", "2")
    assert done.returncode == 0, done.stderr
    kept = sorted((tmp_path / "accounts").iterdir())
    assert kept[0].name == "20260103T000000Z.sql.gz"
    assert (len(kept), oct(kept[1].stat().st_mode)[-3:]) == (2, "600")
    assert forget("accounts", tmp_path, keep=1) == kept[:1]


def test_no_service_may_serve_while_its_tables_are_replaced(local_stack: Stack) -> None:
    local_stack.up(["accounts"])
    try:
        refused = playhead("database", "restore", *OWNERS)
        assert refused.returncode == 1
        assert "accounts must not serve meanwhile: `playhead stop accounts` first" in refused.stderr
    finally:
        local_stack.stop("accounts")


async def test_rows_of_old_transactions_are_forgotten(stack: Settings) -> None:
    database = Database(stack, "accounts")

    async def rows(connection: AsyncConnection) -> set[bytes]:
        return set((await connection.execute(select(TRANSACTIONS.c.id))).scalars())

    await database.transact(rows)
    old = await database.read(rows)
    assert old
    await database.forget_transactions(before=2**47)
    assert not old & await database.read(rows)
    await database.close()
