"""A service's outbox in its schema of MariaDB: what it has to say on Kafka, written with the change itself.

Columns have the names of Debezium's Event Router, with ``topic`` and ``seq``. ``payload`` is the finished datum.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import BigInteger, Column, Index, MetaData, SmallInteger, Table, UniqueConstraint, bindparam, text
from sqlalchemy.dialects.mysql import BLOB, DATETIME, VARCHAR
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.outbox.ports import URGENT, Waiting
from domain.outbox.rows import Key, Row
from infra.engines.mariadb import Database
from schemas import avro
from schemas.codec import decode, encode
from schemas.errors import InvalidEvent
from schemas.events import CountedRecord
from schemas.topics import Topic

TABLES = MetaData()
"""What every service's schema has for its outbox."""


def _ascii(bytes_: int) -> VARCHAR:
    return VARCHAR(bytes_, charset="ascii", collation="ascii_bin")


OUTBOX = Table(
    "outbox",
    TABLES,
    Column("id", _ascii(36), primary_key=True),
    Column("aggregatetype", _ascii(64), nullable=False),
    Column("aggregateid", VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin"), nullable=False),
    Column("type", _ascii(64), nullable=False),
    Column("payload", BLOB, nullable=False),
    Column("topic", _ascii(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("fingerprint", _ascii(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("published_at", BigInteger),
    UniqueConstraint("topic", "aggregateid", "seq", name="once"),
    Index("unpublished", "published_at", "topic", "aggregateid", "seq"),
)
LEASE = Table(
    "outbox_lease",
    TABLES,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("holder", _ascii(36), nullable=False),
    Column("expires_at", DATETIME(fsp=6), nullable=False),
)

_EXPIRY = "UTC_TIMESTAMP(6) + INTERVAL :microseconds MICROSECOND"
_TAKE = text(
    f"UPDATE outbox_lease SET holder = :holder, expires_at = {_EXPIRY}"
    " WHERE id = 1 AND (holder = :holder OR expires_at < UTC_TIMESTAMP(6))"
)
_TAKE_FIRST = text(f"INSERT IGNORE INTO outbox_lease (id, holder, expires_at) VALUES (1, :holder, {_EXPIRY})")
_RENEW = text(f"UPDATE outbox_lease SET expires_at = {_EXPIRY} WHERE id = 1 AND holder = :holder")
_RELEASE = text("UPDATE outbox_lease SET expires_at = '2000-01-01' WHERE id = 1 AND holder = :holder")
_UNPUBLISHED = tuple(
    text(
        "SELECT id, topic, aggregateid, seq, fingerprint, payload FROM outbox WHERE published_at IS NULL"
        f" AND topic {which} :urgent ORDER BY topic, aggregateid, seq LIMIT :rows"
    )
    for which in ("=", "<>")
)
"""First the urgent ones, then the others, each by the index."""
_MARK = text("UPDATE outbox SET published_at = :now WHERE id IN :ids AND published_at IS NULL").bindparams(
    bindparam("ids", expanding=True)
)
_AGAIN = text(
    "UPDATE outbox SET published_at = NULL WHERE topic = :topic AND aggregateid = :aggregate ORDER BY seq DESC LIMIT 1"
)
_WAITING = text("SELECT COUNT(*), MIN(created_at) FROM outbox WHERE published_at IS NULL")
_FORGET = text("DELETE FROM outbox WHERE published_at < :before LIMIT :rows")


async def add(connection: AsyncConnection, topic: Topic, key: str, record: CountedRecord) -> None:
    """Let the record be published once the transaction of this connection is committed.

    ``record.seq`` is the next number of the counter that its aggregate's own row has for the topic, raised in this
    transaction. Raises InvalidEvent if the record breaks a rule: then nothing of the transaction may happen, since
    nothing could ever publish it.
    """
    datum = encode(record)
    if decode(topic.record, datum) != record or getattr(record, topic.key) != key:
        raise InvalidEvent("wrong_record", f"The record is no {topic.record} of {key}.")
    row = {
        "id": record.event_id,
        "aggregatetype": topic.key.removesuffix("_id"),
        "aggregateid": key,
        "type": topic.record,
        "payload": datum,
        "topic": topic.name,
        "seq": record.seq,
        "fingerprint": avro.fingerprint(avro.schema(topic.record)),
        "created_at": record.received_at,
    }
    await connection.execute(OUTBOX.insert().values(row))


class MariaOutbox:
    """Satisfies ``domain.outbox.ports.Outbox``. The database's clock decides when a lease ends."""

    def __init__(self, database: Database, holder: str, lease_seconds: float) -> None:
        """``holder``: names this relay, and no other one ever."""
        self._database = database
        self._lease = {"holder": holder, "microseconds": int(lease_seconds * 1_000_000)}

    async def hold(self) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            return await _changed(connection, _TAKE, self._lease) or await _changed(
                connection, _TAKE_FIRST, self._lease
            )

        return await self._database.transact(work)

    async def release(self) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(_RELEASE, self._lease)

        await self._database.transact(work)

    async def unpublished(self, limit: int) -> Sequence[Row]:
        async def work(connection: AsyncConnection) -> Sequence[Row]:
            found: list[Row] = []
            for some in _UNPUBLISHED:
                rows = await connection.execute(some, {"urgent": URGENT.name, "rows": limit - len(found)})
                found += [Row(*row) for row in rows]
            return found

        return await self._database.read(work)

    async def mark(self, ids: Collection[str], now: int) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            if not await _changed(connection, _RENEW, self._lease):
                return False
            await connection.execute(_MARK, {"ids": list(ids), "now": now})
            return True

        return await self._database.transact(work)

    async def publish_again(self, keys: Collection[Key]) -> None:
        async def work(connection: AsyncConnection) -> None:
            for topic, aggregate in sorted(keys):
                await connection.execute(_AGAIN, {"topic": topic, "aggregate": aggregate})

        await self._database.transact(work)

    async def waiting(self) -> Waiting:
        async def work(connection: AsyncConnection) -> Waiting:
            return Waiting(*(await connection.execute(_WAITING)).one())

        return await self._database.read(work)

    async def forget(self, before: int, limit: int) -> int:
        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(_FORGET, {"before": before, "rows": limit})).rowcount

        return await self._database.transact(work)


async def _changed(connection: AsyncConnection, statement: object, values: dict[str, object]) -> bool:
    result: CursorResult[object] = await connection.execute(statement, values)  # type: ignore[call-overload]
    return result.rowcount > 0
