"""The continuous ledger's states in Cassandra: one row for each Kafka partition, changed by compare-and-set only."""

from collections.abc import Iterable
from typing import Any

from cassandra import ConsistencyLevel
from cassandra.cluster import Session

from domain.lake.keys import Chain
from domain.ledger.collector_counts import CollectorCount
from domain.ledger.state import HOUR_MS, ReconciliationState, decode, encode
from infra.engines.cassandra import prepared_read, run, translate


class ReconciliationStates:
    """Satisfies ``domain.ledger.ports.StateStore``. Its session must not retry by itself, which ``connect`` ensures."""

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

    def load(self, chain: Chain) -> ReconciliationState:
        return _state(_answer(self._session, self._load, (chain.topic_id, chain.partition)))

    def save(self, chain: Chain, state: ReconciliationState) -> bool:
        new = state.next_version()
        key = chain.topic_id, chain.partition
        values = chain.topic, new.version, encode(new), *key, state.version or None
        (row,) = _answer(self._session, self._save, values)
        return bool(row.applied)


class CollectorCounts:
    """Satisfies ``domain.ledger.collector_counts.CollectorCountStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        table = f"{session.keyspace}.ledger_accepted"
        self._select = prepared_read(session, f"SELECT collector, family, first, last FROM {table} WHERE hour = ?")
        self._insert = session.prepare(
            f"INSERT INTO {table} (hour, collector, family, first, last) VALUES (?, ?, ?, ?, ?)"
        )

    def counts(self, hour: int) -> list[CollectorCount]:
        rows = _answer(self._session, self._select, (hour * HOUR_MS,))
        return [CollectorCount(hour, row.collector, row.family, row.first, row.last) for row in rows]

    def save_counts(self, rows: Iterable[CollectorCount]) -> None:
        for row in rows:
            values = row.hour * HOUR_MS, row.collector, row.family, row.first, row.last
            _answer(self._session, self._insert, values)


class LedgerReader:
    """Satisfies ``services.ops.ports.LedgerReader``: states as the pages read them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._load = prepared_read(
            session, f"SELECT account FROM {session.keyspace}.ledger_accounts WHERE topic_id = ? AND partition = ?"
        )

    async def state(self, topic_id: str, partition: int) -> ReconciliationState:
        return _state(await run(self._session, self._load, (topic_id, partition)))


def _answer(session: Session, statement: Any, values: tuple[object, ...]) -> Any:
    try:
        return session.execute(statement, values)
    except Exception as error:
        raise translate(error) from error


def _state(rows: Any) -> ReconciliationState:
    for row in rows:
        return decode(row.account)
    return ReconciliationState()
