"""Stream slots in Cassandra: compare-and-set writes with a TTL. Its clock alone decides when a slot becomes free."""

from typing import Any
from uuid import UUID

from cassandra.cluster import Session
from cassandra.query import PreparedStatement

from domain.slots.model import Slot, Slots, Stream
from infra.engines.cassandra import prepared_read, run


class StreamSlots:
    """Satisfies ``domain.slots.ports.SlotStore``.

    ``lease_s``: how long a slot is kept without a renewal; ``pause_s``: how long a paused stream keeps it. Every write
    may be repeated, so the driver sends one that is slow to a second node, too: a node that hangs delays nobody.
    """

    def __init__(self, session: Session, lease_s: int, pause_s: int) -> None:
        self._session = session
        self._lease_s = lease_s
        self._pause_s = pause_s
        table = f"{session.keyspace}.stream_slots"
        key = "account_id = ? AND slot = ?"
        holder = "playback_session_id = ?, stream = ?"
        self._slots = prepared_read(
            session, f"SELECT slot, playback_session_id, stream, replaced FROM {table} WHERE account_id = ?"
        )
        # No INSERT IF NOT EXISTS: it leaves a row marker, which may outlive the values, and blocks the slot then. A
        # condition on null is true if there is no row yet.
        self._take = self._conditional(
            f"UPDATE {table} USING TTL ? SET {holder}, playing = true WHERE {key}"
            " IF playback_session_id = null AND stream = null"
        )
        self._take_over = self._conditional(
            f"UPDATE {table} USING TTL ? SET {holder}, playing = true, replaced = ? WHERE {key}"
            " IF playback_session_id = ?"
        )
        self._renew = self._conditional(
            f"UPDATE {table} USING TTL ? SET {holder}, playing = true WHERE {key} IF playback_session_id = ?"
        )
        self._pause = self._conditional(
            f"UPDATE {table} USING TTL ? SET {holder}, playing = false WHERE {key}"
            " IF playback_session_id = ? AND playing = true"
        )
        # What is left of a stream is the session that had it, for the time of a lease.
        self._release = self._conditional(
            f"UPDATE {table} USING TTL ? SET playback_session_id = null, stream = null, playing = null, replaced = ?"
            f" WHERE {key} IF playback_session_id = ?"
        )

    async def slots(self, account_id: str) -> Slots:
        rows = await run(self._session, self._slots, (account_id,))
        taken = [row for row in rows if row.playback_session_id]
        return Slots(
            {row.slot: Slot(_stream(row), row.replaced and str(row.replaced)) for row in taken},
            {str(row.replaced) for row in rows if row.replaced and not row.playback_session_id},
        )

    async def take(self, account_id: str, number: int, stream: Stream) -> Stream:
        values = self._lease_s, UUID(stream.session), _value(stream), account_id, number
        (row,) = await run(self._session, self._take, values)
        return stream if row.applied else _stream(row)

    async def take_over(self, account_id: str, number: int, stream: Stream, holder: str, replaced: str | None) -> bool:
        told = UUID(replaced) if replaced else None
        values = self._lease_s, UUID(stream.session), _value(stream), told, account_id, number, UUID(holder)
        return await self._has(stream, self._take_over, values)

    async def renew(self, account_id: str, number: int, stream: Stream) -> bool:
        session = UUID(stream.session)
        values = self._lease_s, session, _value(stream), account_id, number, session
        return await self._has(stream, self._renew, values)

    async def pause(self, account_id: str, number: int, stream: Stream) -> bool:
        session = UUID(stream.session)
        values = self._pause_s, session, _value(stream), account_id, number, session
        return await self._has(stream, self._pause, values)

    async def release(self, account_id: str, number: int, session: str) -> None:
        holder = UUID(session)
        await run(self._session, self._release, (self._lease_s, holder, account_id, number, holder))

    async def _has(self, stream: Stream, statement: PreparedStatement, values: tuple[object, ...]) -> bool:
        """Whether the stream has the slot after this write. A write that was not applied says who has it."""
        (row,) = await run(self._session, statement, values)
        return row.applied or str(getattr(row, "playback_session_id", None)) == stream.session

    def _conditional(self, cql: str) -> PreparedStatement:
        statement = self._session.prepare(cql)
        statement.is_idempotent = True
        return statement


def _value(stream: Stream) -> tuple[str, ...]:
    """In the order of the Cassandra type's fields."""
    return stream.profile_id, stream.device_id, stream.device, stream.title_id


def _stream(row: Any) -> Stream:
    return Stream(str(row.playback_session_id), *row.stream)
