"""Ways of keeping histories, each in its own keyspace of the same Cassandra, all written by the product's LiveVH.

- ours: LiveVH and CompressedVH, as the migrations make them;
- rows: LiveVH alone, never rolled up: one uncompressed row a record, its blocks compressed by LZ4 or by Zstd.

A bench plays years within minutes. So that Cassandra forgets deleted rows as it would in years, here they may be
forgotten at once (``gc_grace_seconds`` 0; the product's tables say one day).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from cassandra.cluster import Session
from cassandra.query import PreparedStatement

from domain.history.compaction import Compactor
from domain.history.kept import KEPT_FIELDS
from domain.history.merge import KEY, VALUE_FIELDS
from domain.history.reading import HistoryReader
from domain.history.rollup import RollUpRules
from domain.history.versions import position
from domain.metrics import COMPACTED_RECORDS, Counter, Gauge, Histogram
from infra.engines.cassandra import close, connect
from infra.migrate import migrate
from infra.runtime.settings import Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from schemas.events import ViewingRecord

NOW = 1_800_000_000_000
"""Later than all sessions: they are closed."""
TABLES = ("live_vh", "compressed_vh_metadata", "compressed_vh_chunks")
WRITTEN_AT_ONCE = 3_000


@dataclass(slots=True)
class Counted:
    """Satisfies ``domain.metrics.Metrics``: counts only the records that were rolled up."""

    rolled_up: float = 0

    def increment(self, counter: Counter, amount: float = 1, **_: str | int) -> None:
        if counter is COMPACTED_RECORDS:
            self.rolled_up += amount

    def set(self, gauge: Gauge, value: float | None, **_: str | int) -> None: ...
    def observe(self, histogram: Histogram, value: float, count: int = 1, **_: str | int) -> None: ...


@dataclass(frozen=True, slots=True)
class Ours:
    keyspace: str
    live: LiveVH
    compactor: Compactor
    reader: HistoryReader
    counted: Counted


class Rows:
    def __init__(self, session: Session) -> None:
        assert ("received_at", *KEY, *VALUE_FIELDS[1:], *KEPT_FIELDS) == ViewingRecord.__struct_fields__
        self.keyspace: str = session.keyspace
        self.live = LiveVH(session)
        self._session = session
        self._select: PreparedStatement = session.prepare(
            f"SELECT playback_session_id, record FROM {session.keyspace}.live_vh WHERE profile_id = ?"
        )

    def read(self, profile_id: str) -> list[ViewingRecord]:
        """Newest first; in pages of 5,000 rows, the driver's default, and from row to record the fastest way."""
        rows = self._session.execute(self._select, (profile_id,))
        records = (ViewingRecord(record[0], profile_id, str(session_id), *record[1:]) for session_id, record in rows)
        return sorted(records, key=position, reverse=True)


@contextmanager
def ours(settings: Settings, keyspace: str, rules: RollUpRules) -> Iterator[Ours]:
    with _tables(settings, keyspace) as session:
        for table in ("live_vh", "compressed_vh_chunks"):
            session.execute(f"ALTER TABLE {table} WITH gc_grace_seconds = 0")
        yield connected(session, rules)


def connected(session: Session, rules: RollUpRules) -> Ours:
    live, compressed, counted = LiveVH(session), CompressedVH(session), Counted()
    compactor = Compactor(live, compressed, counted, rules, lambda: NOW)
    return Ours(session.keyspace, live, compactor, HistoryReader(live, compressed, counted), counted)


@contextmanager
def rows(settings: Settings, keyspace: str, compressor: str, strategy: str = "L4") -> Iterator[Rows]:
    with _tables(settings, keyspace) as session:
        session.execute(
            f"ALTER TABLE live_vh WITH compression = {{'class': '{compressor}', 'chunk_length_in_kb': 16}} AND"
            f" compaction = {{'class': 'UnifiedCompactionStrategy', 'scaling_parameters': '{strategy}'}}"
        )
        yield Rows(session)


async def write(live: LiveVH, records: Sequence[ViewingRecord]) -> None:
    for start in range(0, len(records), WRITTEN_AT_ONCE):
        await live.write(records[start : start + WRITTEN_AT_ONCE])


@contextmanager
def _tables(settings: Settings, keyspace: str) -> Iterator[Session]:
    """The product's tables in a keyspace of that name, dropped afterwards."""
    named = settings.model_copy(update={"cassandra_keyspace": keyspace})
    migrate(named)
    session = connect(named)
    try:
        yield session
    finally:
        session.execute(f"DROP KEYSPACE {keyspace}", timeout=60)
        close(session)
