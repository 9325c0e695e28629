"""Quality of experience in Cassandra: the worker's checkpoints and the figures by minute."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cassandra.cluster import Session
from cassandra.query import BatchStatement, BatchType, PreparedStatement

from domain.quality.figures import Figures, Label, empty
from domain.quality.ports import CheckpointTooLarge
from domain.quality.tally import MinuteFigures
from infra.engines.cassandra import run
from infra.stores.support_cassandra import SupportWriter

MAX_BYTES = 8 * 2**20
"""Half of Cassandra's limit for one write, which leaves time to add partitions."""
MINUTE_BITS = 26
"""A checkpoint's write timestamp: its offset, then the minute of its log time, which has room for a century."""
BATCH_ROWS = 50
HOUR = 60


class QualityCheckpoints:
    """Satisfies ``domain.quality.ports.Checkpoints``."""

    def __init__(self, session: Session, topic_id: str, batches_in_flight: int = 16) -> None:
        self._session = session
        self._topic_id = topic_id
        self._slots = asyncio.Semaphore(batches_in_flight)
        self.save_reports = SupportWriter(session).save_reports
        table = f"{session.keyspace}.quality_checkpoints"
        key = "topic_id = ? AND partition = ?"
        self._load: PreparedStatement = session.prepare(f"SELECT state FROM {table} WHERE {key}")
        self._save: PreparedStatement = session.prepare(
            f"UPDATE {table} USING TIMESTAMP ? SET last_offset = ?, state = ? WHERE {key}"
        )
        self._insert: PreparedStatement = session.prepare(
            f"INSERT INTO {session.keyspace}.quality_minutes (label_set, hour, minute, labels, partition, figures)"
            " VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"
        )

    async def load(self, partition: int) -> bytes | None:
        rows = list(await run(self._session, self._load, (self._topic_id, partition)))
        return bytes(rows[0].state) if rows else None

    async def save(self, partition: int, offset: int, log_time: int, state: bytes) -> None:
        if len(state) > MAX_BYTES:
            raise CheckpointTooLarge(
                f"partition {partition}: the state has {len(state):,} bytes, the maximum is {MAX_BYTES:,}: "
                "spread the sessions over more partitions"
            )
        write_timestamp = ((offset + 1) << MINUTE_BITS) + log_time // 60_000
        await run(self._session, self._save, (write_timestamp, offset, state, self._topic_id, partition))

    async def save_minutes(self, partition: int, log_time: int, minutes: Sequence[MinuteFigures]) -> None:
        by_hour: dict[tuple[str, int], list[MinuteFigures]] = defaultdict(list)
        for one in minutes:
            by_hour[one.label[0], one.minute // HOUR].append(one)
        batches = [
            [_row(one, partition, log_time) for one in group[start : start + BATCH_ROWS]]
            for group in by_hour.values()
            for start in range(0, len(group), BATCH_ROWS)
        ]
        outcomes = await asyncio.gather(*map(self._write, batches), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _write(self, rows: Sequence[tuple[object, ...]]) -> None:
        """One batch for one Cassandra partition. Each row is complete, so the batch need not be atomic."""
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        for row in rows:
            batch.add(self._insert, row)
        async with self._slots:
            await run(self._session, batch)


class QualityMinutes:
    """Satisfies ``domain.quality.ports.Minutes``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._select: PreparedStatement = session.prepare(
            f"SELECT minute, labels, figures FROM {session.keyspace}.quality_minutes"
            " WHERE label_set = ? AND hour = ? AND minute >= ? AND minute <= ?"
        )
        self._select.fetch_size = None

    async def minutes(self, label_set: str, first: int, last: int) -> list[MinuteFigures]:
        sums: dict[tuple[int, Label], Figures] = {}
        for hour in range(first // HOUR, last // HOUR + 1):
            bounds = _time(hour * HOUR), _time(first), _time(last)
            for row in await run(self._session, self._select, (label_set, *bounds)):
                label = (label_set, *row.labels)
                at = int(row.minute.replace(tzinfo=UTC).timestamp()) // 60, label
                sums.setdefault(at, empty(label)).add(_figures(row.figures))
        return [MinuteFigures(minute, label, figures) for (minute, label), figures in sums.items()]


def _row(one: MinuteFigures, partition: int, log_time: int) -> tuple[object, ...]:
    label_set, *labels = one.label
    figures = tuple(getattr(one.figures, name) for name in Figures.__struct_fields__)
    return label_set, _time(one.minute // HOUR * HOUR), _time(one.minute), labels, partition, figures, log_time * 1000


def _figures(stored: Any) -> Figures:
    """Read by name, because a newer type may have more fields."""
    values = {name: getattr(stored, name) or 0 for name in Figures.__struct_fields__ if name != "startups"}
    return Figures(**values, startups=tuple(stored.startups or ()))


def _time(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
