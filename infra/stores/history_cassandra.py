"""LiveVH in Cassandra: a session's newest state is one frozen cell, each kept value another with its own timestamp."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from random import random
from typing import Any
from uuid import UUID

import msgspec
from cassandra import InvalidRequest
from cassandra.cluster import Session
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType, PreparedStatement

from domain.history.kept import KEPT, Kept
from domain.history.merge import VALUE_FIELDS
from domain.history.ports import LivePart
from infra.engines.cassandra import batches, prepared_read, run
from schemas.errors import InvalidEvent
from schemas.events import ViewingRecord, write_timestamp

DELETIONS_A_MILESTONE = 500
"""On average, at random: whatever ids a client chooses, no long run of deleted rows has no milestone."""
MILESTONE_SECONDS = 90_000
"""An hour longer than ``gc_grace_seconds`` of the table, after which reads no longer count the deletions."""
COUNT_ROWS = 128
"""Counted in one read: with milestones about 64,000 deletions, of 100,000 that Cassandra passes over."""
KEPT_COLUMNS = ", ".join(kept.name for kept in KEPT)
KEPT_SIZE = max(len(kept.fields) for kept in KEPT)
kept_seqs = attrgetter(*(kept.seq for kept in KEPT))
"""The events that reported a record's kept values; None where none did."""
record_value = attrgetter(*VALUE_FIELDS)
"""A record as the value of its cell."""


def _cell(kept: Kept) -> Callable[[ViewingRecord], tuple[object, ...]]:
    """A record's kept value as its cell, which has the fields of the largest one."""
    value, rest = attrgetter(*kept.fields), (None,) * (KEPT_SIZE - len(kept.fields))
    return lambda record: value(record) + rest


KEPT_VALUES = [_cell(kept) for kept in KEPT]


class LiveVH:
    """Viewing records in the table ``live_vh``.

    Satisfies ``LiveVHStore``, ``LiveCounts`` and ``LiveMoves`` of ``domain.history.ports``.
    """

    def __init__(self, session: Session, batches_in_flight: int = 16) -> None:
        self._session = session
        self._room = asyncio.Semaphore(batches_in_flight)
        # Cassandra warns about prepared statements that depend on the session's keyspace.
        table = f"{session.keyspace}.live_vh"
        self._insert: PreparedStatement = session.prepare(
            f"INSERT INTO {table} (profile_id, playback_session_id, record, {KEPT_COLUMNS})"
            f" VALUES (?, ?, ?{', ?' * len(KEPT)}) USING TIMESTAMP ?"
        )
        newest = (
            f"SELECT playback_session_id, record, {KEPT_COLUMNS}, compacted_generation, WRITETIME(record) AS written_at"
            f" FROM {table} WHERE profile_id = ? %s ORDER BY playback_session_id DESC LIMIT ?"
        )
        self._newest = prepared_read(session, newest % "")
        self._before = prepared_read(session, newest % "AND playback_session_id < ?")
        self._marker = prepared_read(session, f"SELECT DISTINCT compacted_generation FROM {table} WHERE profile_id = ?")
        # One page each: with paging, a page's marker could be older than the rows of the next one.
        self._newest.fetch_size = self._before.fetch_size = None
        count = (
            f"SELECT playback_session_id, WRITETIME(record) AS written_at FROM {table} WHERE profile_id = ? %s LIMIT ?"
        )
        self._count = prepared_read(session, count % "")
        self._count_after = prepared_read(session, count % "AND playback_session_id > ?")
        self._delete: PreparedStatement = session.prepare(
            f"DELETE FROM {table} USING TIMESTAMP ? WHERE profile_id = ? AND playback_session_id = ?"
        )
        # A row without columns: it can be found, and has no record.
        self._milestone: PreparedStatement = session.prepare(
            f"INSERT INTO {table} (profile_id, playback_session_id) VALUES (?, ?)"
            f" USING TTL {MILESTONE_SECONDS} AND TIMESTAMP ?"
        )
        self._mark: PreparedStatement = session.prepare(
            f"UPDATE {table} USING TIMESTAMP ? SET compacted_generation = ? WHERE profile_id = ?"
        )

    async def write(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:
        """Unlogged batches: atomicity is not needed, since every row is complete and can be written again."""
        outcomes = await asyncio.gather(
            *map(self._write_batch, batches(self._session, records)), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [error for outcome in outcomes if isinstance(outcome, list) for error in outcome]

    async def part(self, profile_id: str, limit: int, before: str | None = None) -> LivePart:
        if before is None:
            rows = await run(self._session, self._newest, (profile_id, limit))
        else:
            rows = await run(self._session, self._before, (profile_id, UUID(before), limit))
            # A slice without rows comes without the partition's marker. Read afterwards, it is new enough.
            if not rows:
                (marked,) = await run(self._session, self._marker, (profile_id,)) or (None,)
                return LivePart([], marked and marked.compacted_generation)
        stored = [row for row in rows if row.record]
        last = rows[-1].playback_session_id if len(rows) == limit else None
        return LivePart(
            records=[_with_kept(stored_record(profile_id, row), row) for row in stored],
            compacted_generation=rows[0].compacted_generation if rows else None,
            written_at={str(row.playback_session_id): row.written_at for row in stored},
            more_before=str(last) if last else None,
        )

    async def count(self, profile_id: str, limit: int) -> int:
        """The number of a profile's sessions, at most ``limit``."""
        counted = 0
        rows = await run(self._session, self._count, (profile_id, COUNT_ROWS))
        while True:
            counted += sum(row.written_at is not None for row in rows)
            if counted >= limit or len(rows) < COUNT_ROWS:
                return min(counted, limit)
            after = rows[-1].playback_session_id
            rows = await run(self._session, self._count_after, (profile_id, after, COUNT_ROWS))

    async def delete_rolled_up(
        self,
        profile_id: str,
        records: Sequence[ViewingRecord],
        generation: int,
        written_at: Mapping[str, int] | None = None,
    ) -> None:
        """One batch in one partition: readers see all of it or nothing."""
        written_at = written_at or {}
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        batch.add(self._mark, (generation, generation, profile_id))
        for record in records:
            at = written_at.get(record.playback_session_id, record.write_timestamp)
            key = profile_id, UUID(record.playback_session_id)
            batch.add(self._delete, (at, *key))
            if random() * DELETIONS_A_MILESTONE < 1:
                batch.add(self._milestone, (*key, at + 1))  # a tombstone wins a tie
        await run(self._session, batch)

    async def _write_batch(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        for record in records:
            for row in _rows(record):
                batch.add(self._insert, row)
        async with self._room:
            try:
                await run(self._session, batch)
            except InvalidRequest:
                return [error for record in records if (error := await self._write_row(record))]
        return []

    async def _write_row(self, record: ViewingRecord) -> InvalidEvent | None:
        """After a refused batch: find the invalid row."""
        try:
            for row in _rows(record):
                await run(self._session, self._insert, row)
        except InvalidRequest as error:
            if "live_vh" not in self._session.cluster.metadata.keyspaces[self._session.keyspace].tables:
                raise  # the table is missing: the rows are not invalid
            return InvalidEvent("refused_by_store", f"{record.playback_session_id}: {error}")
        return None


def _rows(record: ViewingRecord) -> Iterator[tuple[object, ...]]:
    """The row's values by the event that told them, each with that event's timestamp: usually one event told all."""
    key = record.profile_id, UUID(record.playback_session_id)
    kept_at = kept_seqs(record)
    for seq in {record.seq, *kept_at} - {None}:
        state = record_value(record) if seq == record.seq else UNSET_VALUE
        kept = [value(record) if at == seq else UNSET_VALUE for at, value in zip(kept_at, KEPT_VALUES, strict=True)]
        yield *key, state, *kept, write_timestamp(record.playback_session_id, seq)


def _with_kept(record: ViewingRecord, row: Any) -> ViewingRecord:
    values = {
        field: value for kept in KEPT for field, value in zip(kept.fields, getattr(row, kept.name) or (), strict=False)
    }
    return msgspec.structs.replace(record, **values) if values else record


def stored_record(profile_id: str, row: Any) -> ViewingRecord:
    received_at, *rest = row.record[: len(VALUE_FIELDS)]  # a newer type has more fields, at its end
    return ViewingRecord(received_at, profile_id, str(row.playback_session_id), *rest)
