"""Slots of streams in memory. The store passes the contract suite of the real one."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from domain.clock import system_clock
from domain.slots.leases import Leases
from domain.slots.model import Slot, Stream
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
    until: float
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
    released: dict[tuple[str, str], float] = field(default_factory=dict)

    async def taken(self, account_id: str) -> Mapping[int, Slot]:
        await self._arrive()
        rows = {number: self._row(owner, number) for owner, number in list(self.rows) if owner == account_id}
        return {number: self._slot(row) for number, row in sorted(rows.items()) if row}

    async def take(self, account_id: str, number: int, stream: Stream) -> Stream:
        await self._arrive()
        if not (row := self._row(account_id, number)):
            row = self.rows[account_id, number] = Row(stream, self.now() + self.lease_s)
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
            del self.rows[account_id, number]
            self.released[account_id, session] = self.now() + self.lease_s
        self._answer()

    async def was_released(self, account_id: str, session: str) -> bool:
        await self._arrive()
        return self.now() < self.released.get((account_id, session), 0.0)

    async def _arrive(self) -> None:
        await asyncio.sleep(0)  # others come first
        if self.away:
            raise TransientError("the store is away")

    def _answer(self) -> None:
        if self.loses:
            self.loses -= 1
            raise TransientError("the answer was lost")

    def _row(self, account_id: str, number: int) -> Row | None:
        row = self.rows.get((account_id, number))
        return row if row and self.now() < row.until else None

    def _has(self, account_id: str, number: int, session: str) -> bool:
        row = self._row(account_id, number)
        return row is not None and row.stream.session == session

    def _slot(self, row: Row) -> Slot:
        return Slot(row.stream, row.replaced if self.now() < row.replaced_until else None)


def streams_on(
    store: FakeSlots, catalogue: Catalogue | None = None, report: Callable[[Diagnostic], None] = lambda _: None
) -> Streams:
    """As the playback service has them."""
    happenings = Happenings(report, system_clock)
    leases = Leases(lambda: store, FakeMetrics())
    return Streams(leases, happenings, catalogue or Catalogue(), int(store.lease_s))
