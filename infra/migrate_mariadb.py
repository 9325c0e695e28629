"""Migrate the services' schemas in MariaDB: Alembic's revisions in ``infra/migrations/mariadb/<service>/``.

MariaDB commits each change of a table by itself, so one runner at a time changes a schema. A lease keeps others away,
also on the other nodes of a cluster.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import BINARY, Column, DateTime, Integer, Table, func, text, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateTable

from domain.processes import OWNERS, Owner
from infra.engines.mariadb import TABLES, engine, translated
from infra.runtime.settings import Settings
from infra.stores import outbox_mariadb

FOLDER = Path(__file__).parent / "migrations" / "mariadb"
LEASE_S = 120
"""Longer than all revisions of a schema take. A killed runner blocks the next one for this long at most."""
LEASE = Table(
    "migration_lease",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", BINARY(16), nullable=False),
    Column("until", DateTime, nullable=False),
)


def migrate(settings: Settings, owners: tuple[Owner, ...] = OWNERS, folder: Path = FOLDER) -> None:
    """Bring each service's schema to its newest revision. TransientError, AccessDenied."""
    with ThreadPoolExecutor(1) as thread:  # the caller's may have an event loop that runs
        for owner in owners:
            thread.submit(asyncio.run, _migrate(settings, owner, folder)).result()


def revisions(owner: str, folder: Path = FOLDER) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(owner, folder))


def _config(owner: str, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("version_locations", str(folder / owner))
    config.set_main_option("path_separator", "newline")
    return config


async def _migrate(settings: Settings, owner: Owner, folder: Path) -> None:
    writer = engine(settings, owner, "writer")
    try:
        with translated():
            async with writer.begin() as connection:
                # Names are compared byte by byte, whatever this server's default is.
                await connection.execute(text("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
                # Not by create_all: it looks first, and another migration may be faster.
                await connection.execute(CreateTable(LEASE, if_not_exists=True))
            async with _lease(writer), writer.connect() as connection:
                await connection.run_sync(TABLES.create_all)
                await connection.run_sync(outbox_mariadb.TABLES.create_all)
                await connection.run_sync(_upgrade, _config(owner, folder))
    finally:
        await writer.dispose()


def _upgrade(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


@asynccontextmanager
async def _lease(writer: AsyncEngine) -> AsyncIterator[None]:
    owner = uuid.uuid4().bytes
    async with writer.begin() as connection:
        await connection.execute(
            insert(LEASE).prefix_with("IGNORE").values(id=1, owner=owner, until=func.utc_timestamp())
        )
    while True:
        async with writer.begin() as connection:
            if await _take(connection, owner):
                break
        await asyncio.sleep(0.2)
    try:
        yield
    finally:
        async with writer.begin() as connection:
            await connection.execute(update(LEASE).where(LEASE.c.owner == owner).values(until=func.utc_timestamp()))


async def _take(connection: AsyncConnection, owner: bytes) -> bool:
    now = func.utc_timestamp()
    until = text(f"utc_timestamp() + INTERVAL {LEASE_S} SECOND")
    taken = await connection.execute(update(LEASE).where(LEASE.c.until <= now).values(owner=owner, until=until))
    return taken.rowcount == 1
