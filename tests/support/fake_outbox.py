"""An outbox in memory, for several relays, and a Kafka that does not acknowledge everything."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from domain.outbox.ports import URGENT, Waiting
from domain.outbox.rows import Key, Row


@dataclass
class OutboxTable:
    """What relays share."""

    monotonic: Callable[[], float]
    rows: dict[str, Row] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)
    holder: str = ""
    expires: float = float("-inf")

    def add(self, *rows: Row, at: int = 0) -> None:
        for row in rows:
            assert row.key not in [each.key for each in self.rows.values() if each.seq == row.seq]
            self.rows[row.id], self.created[row.id] = row, at


class FakeOutbox:
    """Satisfies ``domain.outbox.ports.Outbox``."""

    def __init__(self, table: OutboxTable, holder: str, lease_seconds: float) -> None:
        self._table = table
        self._holder = holder
        self._seconds = lease_seconds

    async def hold(self) -> bool:
        table = self._table
        if table.holder != self._holder and table.monotonic() <= table.expires:
            return False
        table.holder, table.expires = self._holder, table.monotonic() + self._seconds
        return True

    async def release(self) -> None:
        if self._table.holder == self._holder:
            self._table.expires = float("-inf")

    async def unpublished(self, limit: int) -> Sequence[Row]:
        found = [row for row in self._table.rows.values() if row.id not in self._table.published]
        return sorted(found, key=lambda row: (row.topic != URGENT.name, *row.key, row.seq))[:limit]

    async def mark(self, ids: Collection[str], now: int) -> bool:
        table = self._table
        if table.holder != self._holder:
            return False
        table.expires = table.monotonic() + self._seconds
        table.published |= {each: now for each in ids if each not in table.published}
        return True

    async def publish_again(self, keys: Collection[Key]) -> None:
        for key in keys:
            newest = max((row for row in self._table.rows.values() if row.key == key), key=lambda row: row.seq)
            self._table.published.pop(newest.id, None)

    async def waiting(self) -> Waiting:
        created = [at for each, at in self._table.created.items() if each not in self._table.published]
        return Waiting(len(created), min(created, default=None))

    async def forget(self, before: int, limit: int) -> int:
        old = [each for each, at in self._table.published.items() if at < before][:limit]
        for each in old:
            del self._table.rows[each], self._table.created[each], self._table.published[each]
        return len(old)


@dataclass
class FakeTopics:
    """Satisfies ``domain.outbox.ports.Log``. ``lost``: ids that are not acknowledged; ``before``: is called first."""

    lost: set[str] = field(default_factory=set)
    before: Callable[[], None] = lambda: None
    records: list[Row] = field(default_factory=list)

    def publish(self, rows: Sequence[Row]) -> set[int]:
        self.before()
        self.records += [row for row in rows if row.id not in self.lost]
        return {place for place, row in enumerate(rows) if row.id in self.lost}

    def seqs(self, aggregate: str) -> list[int]:
        return [row.seq for row in self.records if row.aggregate == aggregate]


ROW = Row("a-1", "playhead.accounts", "a", 1, "f" * 16, b"datum")


def rows(aggregate: str, seqs: Iterable[int]) -> list[Row]:
    return [replace(ROW, id=f"{aggregate}-{seq}", aggregate=aggregate, seq=seq) for seq in seqs]
