"""`up` brings each service's schema in MariaDB to its newest revision, once."""

import asyncio
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.engines.mariadb import Database
from infra.local import mariadb_keys
from infra.migrate_mariadb import migrate, revisions
from infra.runtime.settings import Settings
from tests.support.administrator import administrate
from tests.support.soak import repeat

RUNNERS = 3
ROUNDS = repeat(1, soak=10)
TRIAL = """
from alembic import op
import sqlalchemy as sa

revision = "trial"
down_revision = None


def upgrade() -> None:
    op.create_table("trial", sa.Column("id", sa.String(64), primary_key=True))
"""


def query(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    async def ask() -> list[tuple[object, ...]]:
        database = Database(settings, "accounts")

        async def work(connection: AsyncConnection) -> list[tuple[object, ...]]:
            found = await connection.execute(text(sql))
            return [tuple(row) for row in found] if found.returns_rows else []

        try:
            return await database.transact(work)
        finally:
            await database.close()

    return asyncio.run(ask())


def test_up_has_applied_all_and_a_second_run_changes_nothing(stack: Settings) -> None:
    newest = [(head,) for head in revisions("accounts").get_heads()]
    for _ in range(2):
        migrate(stack)
        assert query(stack, "SELECT version_num FROM alembic_version") == newest


def test_a_schema_that_is_empty_gets_everything_and_compares_names_byte_by_byte(
    stack: Settings, tmp_path: Path
) -> None:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "trial.py").write_text(TRIAL)
    version = query(stack, "SELECT version_num FROM alembic_version")
    query(stack, "DELETE FROM alembic_version")
    try:
        migrate(stack, folder=tmp_path)
        assert query(stack, "SELECT version_num FROM alembic_version") == [("trial",)]
        query(stack, "INSERT INTO trial VALUES ('a'), ('A'), ('ä')")
        assert len(query(stack, "SELECT id FROM trial WHERE id = 'a'")) == 1
    finally:
        query(stack, "DROP TABLE trial")
        query(stack, "DELETE FROM alembic_version")
        for (head,) in version:
            query(stack, f"INSERT INTO alembic_version VALUES ('{head}')")


def test_several_runners_take_turns(stack: Settings) -> None:
    together(stack)


def test_several_runners_may_begin_with_an_empty_schema(stack: Settings) -> None:
    empty = stack.model_copy(update={"mariadb_prefix": "empty_"})
    administrate(stack, "DROP SCHEMA IF EXISTS empty_accounts;")
    for _ in range(ROUNDS):
        administrate(stack, mariadb_keys.users(empty))
        together(empty)
        newest = [(head,) for head in revisions("accounts").get_heads()]
        assert query(empty, "SELECT version_num FROM alembic_version") == newest
        administrate(stack, "DROP SCHEMA empty_accounts;")


def together(settings: Settings) -> None:
    async def run() -> None:
        await asyncio.gather(*(asyncio.to_thread(migrate, settings) for _ in range(RUNNERS)))

    asyncio.run(run())
