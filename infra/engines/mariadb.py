"""MariaDB: a service's own tables, in transactions that are repeated until their outcome is known.

``work`` is SQL only, since it may run several times. What it has read may be old when it writes, so a change is one
conditional UPDATE whose rows are counted. ``FOR UPDATE`` is banned: on a cluster it locks one node.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Boolean, Column, MetaData, Table, event, select, text
from sqlalchemy.dialects.mysql import BINARY
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential
from uuid_utils import uuid7

from domain.processes import Owner
from infra.engines.mariadb_nodes import Role, access, open_connection
from infra.engines.unfinished_restores import require_finished
from infra.runtime.settings import Settings
from schemas.errors import AccessDenied, TransientError

PATIENCE_S = 8.0
"""A transaction is repeated for this long. A cluster takes three seconds to choose another writer."""
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
FREE_S = 2.0
"""How long a transaction waits for a connection while others have all of them."""
FORGOTTEN_AT_ONCE = 10_000
LOCK_WAIT_TIMEOUT = 1205
CONFLICT = 1213
ROLLED_BACK = (LOCK_WAIT_TIMEOUT, CONFLICT)
"""The statement or the transaction had no effect, and may have one when it is repeated."""
UNAVAILABLE = (1040, 1047, 1053, 1180, 1290, 1836, 4031)
"""Too many connections, not Primary, shutting down, commit failed, read-only now (two kinds), idle for too long."""

TABLES = MetaData()
"""What every service's schema has besides its own tables."""
TRANSACTIONS = Table(
    "transactions",
    TABLES,
    Column("id", BINARY(16), primary_key=True),
    Column("given_up", Boolean, nullable=False),
)
"""A row of each transaction, written by it: its outcome can be known when its COMMIT was not answered."""

T = TypeVar("T")


class OutcomeUnknown(TransientError):
    """A COMMIT was not answered, and no node could say for a while whether it was done. It is not repeated."""


Work = Callable[[AsyncConnection], Awaitable[T]]


class Database:
    """One service's schema. It connects when it is first used."""

    def __init__(self, settings: Settings, owner: Owner) -> None:
        self._writer, self._reader = engine(settings, owner, "writer"), engine(settings, owner, "reader")

    async def transact(self, work: Work[T]) -> T:
        """What ``work`` returned in the transaction that was committed.

        It is repeated as a whole after a conflict, a lock that was not free, or a lost node. TransientError if that
        does not help for ``PATIENCE_S``: nothing was done, unless it is an OutcomeUnknown. What else ``work`` raises
        rolls back, and is raised.
        """
        return await _patiently()(self._once, work)

    async def read(self, work: Work[T]) -> T:
        """What ``work`` read, with everything in it that was committed before. TransientError, AccessDenied."""
        return await _patiently()(self._read_once, work)

    async def ping(self) -> None:
        """TransientError unless there is a node that takes writes."""
        with translated():
            async with self._writer.connect() as connection:
                await connection.execute(text("SELECT 1"))

    async def forget_transactions(self, before: int) -> None:
        """Delete the rows of transactions that began before, in milliseconds since the epoch, a part at a time."""
        first_kept = before.to_bytes(6, "big") + bytes(10)  # ids begin with their time
        old = text(f"DELETE FROM {TRANSACTIONS.name} WHERE id < :first_kept LIMIT {FORGOTTEN_AT_ONCE}")

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(old, {"first_kept": first_kept})).rowcount

        while await self.transact(work) == FORGOTTEN_AT_ONCE:
            pass

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()

    async def _read_once(self, work: Work[T]) -> T:
        with translated():
            async with self._reader.connect() as connection:
                return await work(connection)

    async def _once(self, work: Work[T]) -> T:
        identity = uuid7().bytes
        with translated():
            async with self._writer.connect() as connection:  # at its end it rolls back, also after 1205
                result = await work(connection)
                await connection.execute(TRANSACTIONS.insert().values(id=identity, given_up=False))
                try:
                    await connection.commit()
                except (DBAPIError, OSError) as error:
                    if isinstance(error, DBAPIError) and code(error) in ROLLED_BACK:
                        raise
                else:
                    return result
        if await self._settled(identity):
            return result
        raise TransientError("MariaDB: a transaction was not committed")

    async def _settled(self, identity: bytes) -> bool:
        """Whether a transaction whose COMMIT was not answered was committed; if not, it never will be."""
        try:
            return await _patiently()(self._was_committed, identity)
        except TransientError as error:
            raise OutcomeUnknown(f"{error}; it is unknown whether a transaction was committed") from error

    async def _was_committed(self, identity: bytes) -> bool:
        """Reading alone would not settle it: the COMMIT might still come. So another transaction claims the row of that
        one. Their key lets only one of the two be committed, at whichever node each of them is."""
        with translated():
            async with self._writer.connect() as connection:
                claim = TRANSACTIONS.insert().prefix_with("IGNORE").values(id=identity, given_up=True)
                await connection.execute(claim)
                given_up = await connection.scalar(select(TRANSACTIONS.c.given_up).where(TRANSACTIONS.c.id == identity))
                await connection.commit()
                return not given_up


def connect(settings: Settings, owner: Owner) -> Database:
    """For all but the restore itself: StackError while one has not ended."""
    require_finished(settings, owner)
    return Database(settings, owner)


def engine(settings: Settings, owner: Owner, role: Role) -> AsyncEngine:
    """Its connections are at one node until that is lost."""

    async def open_one() -> object:
        return await open_connection(access(settings, owner), role)

    made = create_async_engine(
        "mariadb+asyncmy://",
        async_creator=open_one,
        isolation_level="READ COMMITTED",
        pool_timeout=FREE_S,
        hide_parameters=True,  # an error is logged, and they may be addresses and secrets
    )
    event.listen(made.sync_engine, "handle_error", _leave_node)
    return made


def _leave_node(context: ExceptionContext) -> None:
    """SQLAlchemy drops all connections of a lost node. So it does of one that has left the cluster, or is read-only."""
    if isinstance(context.sqlalchemy_exception, DBAPIError) and code(context.sqlalchemy_exception) in UNAVAILABLE:
        context.is_disconnect = True


def code(error: DBAPIError) -> int:
    """MariaDB's number of the error; 0 if the driver has none."""
    number = error.orig.args[0] if error.orig and error.orig.args else 0
    return number if isinstance(number, int) else 0


@contextmanager
def translated() -> Iterator[None]:
    """Errors after which a repeated transaction may succeed become TransientError."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or code(error) in ROLLED_BACK:
            raise TransientError(f"MariaDB: {error.orig}") from error
        raise
    except (OSError, NoneFree) as error:
        raise TransientError(f"MariaDB: {error}") from error


def _patiently() -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S),
        stop=stop_after_delay(PATIENCE_S),
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, TransientError) and not isinstance(error, AccessDenied | OutcomeUnknown)
