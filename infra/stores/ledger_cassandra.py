"""The continuous ledger's accounts in Cassandra: one row per Kafka partition, changed only by compare-and-set."""

from collections.abc import Iterable
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.cluster import Session

from domain.ledger.collector_counts import Accepted
from domain.ledger.state import HOUR_MS, Account, Place, decoded, encoded
from infra.engines.cassandra import prepared_read, run, translate


class LedgerAccounts:
    """Satisfies ``domain.ledger.ports.Accounts``. Its session must not retry; ``connect`` makes sure of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        table = f"{session.keyspace}.ledger_accounts"
        select = f"SELECT account FROM {table} WHERE topic_id = ? AND partition = ?"
        self._load = prepared_read(session, select)
        self._load.consistency_level = ConsistencyLevel.LOCAL_SERIAL  # includes a save whose answer was lost
        # A condition on null is true if there is no row yet.
        key = "topic_id = ? AND partition = ?"
        self._save = session.prepare(
            f"UPDATE {table} SET topic = ?, version = ?, account = ? WHERE {key} IF version = ?"
        )
        self._save.serial_consistency_level = ConsistencyLevel.LOCAL_SERIAL

    def load(self, of: Place) -> Account:
        return _account(_answer(self._session, self._load, (of.topic_id, of.partition)))

    def save(self, of: Place, account: Account) -> bool:
        new = account.followed()
        key = of.topic_id, of.partition
        values = of.topic, new.version, encoded(new), *key, account.version or None
        (row,) = _answer(self._session, self._save, values)
        return bool(row.applied)


class LedgerAccepted:
    """Satisfies ``domain.ledger.collector_counts.AcceptedStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        table = f"{session.keyspace}.ledger_accepted"
        self._select = prepared_read(session, f"SELECT collector, family, first, last FROM {table} WHERE hour = ?")
        self._insert = session.prepare(
            f"INSERT INTO {table} (hour, collector, family, first, last) VALUES (?, ?, ?, ?, ?)"
        )

    def accepted(self, hour: int) -> list[Accepted]:
        rows = _answer(self._session, self._select, (hour * HOUR_MS,))
        return [Accepted(hour, row.collector, row.family, row.first, row.last) for row in rows]

    def keep(self, rows: Iterable[Accepted]) -> None:
        for row in rows:
            values = row.hour * HOUR_MS, row.collector, row.family, row.first, row.last
            _answer(self._session, self._insert, values)


class LedgerReader:
    """Satisfies ``services.ops.ports.LedgerReader``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._load = prepared_read(
            session, f"SELECT account FROM {session.keyspace}.ledger_accounts WHERE topic_id = ? AND partition = ?"
        )

    async def account(self, topic_id: str, partition: int) -> Account:
        return _account(await run(self._session, self._load, (topic_id, partition)))


def _answer(session: Session, statement: Any, values: tuple[object, ...]) -> Any:
    try:
        return session.execute(statement, values)
    except Exception as error:
        raise translate(error) from error


def _account(rows: Any) -> Account:
    for row in rows:
        return decoded(row.account)
    return Account()
