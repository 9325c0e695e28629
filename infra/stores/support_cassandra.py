"""Support's view of a member in Cassandra: two tables, by member and time."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from cassandra.cluster import Session
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType

from domain.support.updates import MemberError, Received, SessionReport
from infra.engines.cassandra import batches, prepared_read, run
from infra.stores.history_cassandra import record_value, stored_record

IN_FLIGHT = 16
KEY = ("profile_id", "client_time", "event_id")
ERROR_FIELDS = tuple(name for name in MemberError.__struct_fields__ if name not in KEY)
_error_value = attrgetter(*ERROR_FIELDS)


class SupportWriter:
    """Satisfies ``domain.support.ports.ErrorSink`` and ``.ReportSink``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._report = session.prepare(
            f"INSERT INTO {session.keyspace}.support_sessions"
            " (profile_id, session_started_at, playback_session_id, record, received)"
            " VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?"
        )
        self._error = session.prepare(
            f"INSERT INTO {session.keyspace}.support_errors (profile_id, client_time, event_id, error)"
            " VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
        )

    async def save_reports(self, reports: Sequence[SessionReport]) -> None:
        await self._all(partial(self._batch, group) for group in batches(self._session, reports))

    async def save_errors(self, errors: Sequence[MemberError]) -> None:
        """One by one: there are few, and they may be too long for a batch."""
        await self._all(partial(self._error.bind, _error_row(error)) for error in errors)

    def _batch(self, reports: Sequence[SessionReport]) -> BatchStatement:
        batch = BatchStatement(batch_type=BatchType.UNLOGGED)
        for report in reports:
            batch.add(self._report, _report_row(report))
        return batch

    async def _all(self, statements: Iterable[Callable[[], Any]]) -> None:
        """Each statement is made when its turn comes: encoded values take as much memory as what they were made of."""

        async def write(statement: Callable[[], Any]) -> None:
            async with self._slots:
                await run(self._session, statement())

        for outcome in await asyncio.gather(*map(write, statements), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome


class SupportReader:
    """Satisfies ``domain.support.ports.SupportReads``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reports = prepared_read(
            session,
            "SELECT session_started_at, playback_session_id, record, received"
            f" FROM {session.keyspace}.support_sessions WHERE profile_id = ? LIMIT ?",
        )
        self._errors = prepared_read(
            session,
            f"SELECT client_time, event_id, error FROM {session.keyspace}.support_errors WHERE profile_id = ? LIMIT ?",
        )

    async def reports(self, profile_id: str, limit: int) -> list[SessionReport]:
        return [
            SessionReport(
                profile_id,
                row.session_started_at,
                str(row.playback_session_id),
                stored_record(profile_id, row) if row.record else None,
                Received(row.received.events, row.received.expected) if row.received else None,
            )
            for row in await run(self._session, self._reports, (profile_id, limit))
        ]

    async def errors(self, profile_id: str, limit: int) -> list[MemberError]:
        return [
            MemberError(
                profile_id=profile_id,
                client_time=row.client_time,
                event_id=str(row.event_id),
                **dict(zip(ERROR_FIELDS, _error_value(row.error), strict=True)),
            )
            for row in await run(self._session, self._errors, (profile_id, limit))
        ]


def _report_row(report: SessionReport) -> tuple[object, ...]:
    return (
        report.profile_id,
        report.listed_at,
        UUID(report.playback_session_id),
        record_value(report.record) if report.record else UNSET_VALUE,
        report.received or UNSET_VALUE,
        report.write_timestamp,
    )


def _error_row(error: MemberError) -> tuple[object, ...]:
    key = error.profile_id, error.client_time, UUID(error.event_id)
    return *key, _error_value(error), error.client_time * 1000
