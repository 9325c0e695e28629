"""Slots of streams in memory. The store passes the contract suite of the real one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.clock import system_clock
from domain.slots.leases import Leases
from domain.slots.model import Slot, Slots, Stream
from domain.titles.catalogue import Catalogue
from schemas.errors import TransientError
from schemas.events import Diagnostic
from services.playback.happenings import Happenings
from services.playback.streams import Streams
from tests.support.fake_metrics import FakeMetrics


@dataclass
class Row:
    """A slot. Times are those of the store's clock."""

    stream: Stream
    until: float = 0.0
    playing: bool = True
    replaced: str | None = None
    replaced_until: float = 0.0


@dataclass
class FakeSlots:
    """Satisfies ``domain.slots.ports.SlotStore``.

    ``loses``: how many of the next answers get lost after the change was made. ``away``: nothing is done at all.
    """

    lease_s: float = 90
    pause_s: float = 600
    now: Callable[[], float] = time.monotonic
    loses: int = 0
    away: bool = False
    rows: dict[tuple[str, int], Row] = field(default_factory=dict)

    async def slots(self, account_id: str) -> Slots:
        await self._arrive()
        rows = {number: row for (owner, number), row in sorted(self.rows.items()) if owner == account_id}
        taken = {number: Slot(row.stream, self._replaced(row)) for number, row in rows.items() if self._is_taken(row)}
        stopped = {self._replaced(row) for row in rows.values() if not self._is_taken(row)}
        return Slots(taken, {session for session in stopped if session})

    async def take(self, account_id: str, number: int, stream: Stream) -> Stream:
        await self._arrive()
        row = self.rows.setdefault((account_id, number), Row(stream))
        if not self._is_taken(row):
            row.stream, row.until, row.playing = stream, self.now() + self.lease_s, True
        self._answer()
        return row.stream

    async def take_over(self, account_id: str, number: int, stream: Stream, holder: str, replaced: str | None) -> bool:
        await self._arrive()
        if self._has(account_id, number, holder):
            until = self.now() + self.lease_s
            self.rows[account_id, number] = Row(stream, until, replaced=replaced, replaced_until=until)
        self._answer()
        return self._has(account_id, number, stream.session)

    async def renew(self, account_id: str, number: int, stream: Stream) -> bool:
        await self._arrive()
        if held := self._has(account_id, number, stream.session):
            row = self.rows[account_id, number]
            row.until, row.playing = self.now() + self.lease_s, True
        self._answer()
        return held

    async def pause(self, account_id: str, number: int, stream: Stream) -> bool:
        await self._arrive()
        if held := self._has(account_id, number, stream.session):
            row = self.rows[account_id, number]
            if row.playing:
                row.until, row.playing = self.now() + self.pause_s, False
        self._answer()
        return held

    async def release(self, account_id: str, number: int, session: str) -> None:
        await self._arrive()
        if self._has(account_id, number, session):
            row = self.rows[account_id, number]
            row.until, row.replaced, row.replaced_until = 0.0, session, self.now() + self.lease_s
        self._answer()

    async def _arrive(self) -> None:
        await asyncio.sleep(0)  # others come first
        if self.away:
            raise TransientError("the store is away")

    def _answer(self) -> None:
        if self.loses:
            self.loses -= 1
            raise TransientError("the answer was lost")

    def _is_taken(self, row: Row) -> bool:
        return self.now() < row.until

    def _replaced(self, row: Row) -> str | None:
        return row.replaced if self.now() < row.replaced_until else None

    def _has(self, account_id: str, number: int, session: str) -> bool:
        row = self.rows.get((account_id, number))
        return row is not None and self._is_taken(row) and row.stream.session == session


def streams_on(
    store: FakeSlots, catalogue: Catalogue | None = None, report: Callable[[Diagnostic], None] = lambda _: None
) -> Streams:
    """As the playback service has them."""
    happenings = Happenings(report, system_clock)
    leases = Leases(lambda: store, FakeMetrics())
    return Streams(leases, happenings, catalogue or Catalogue(), int(store.lease_s))
