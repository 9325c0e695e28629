"""A member whose events arrive, arrive late and are replayed, while readers check every answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeVar

from domain.history.compaction import Compactor
from domain.history.ports import LivePart
from domain.history.reading import HistoryReader
from domain.history.versions import ChunkId
from domain.metrics import UNREADABLE_CHUNKS
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from schemas.errors import TransientError
from schemas.events import ViewingRecord
from tests.chaos.compactor import RULES
from tests.support.builders import T0, viewing_record
from tests.support.fake_metrics import FakeMetrics
from tests.support.pipeline import PATIENCE_S

MINUTE = 60_000
NOW = T0 + 400 * 24 * 60 * MINUTE
"""All sessions have been silent for long: they are closed."""
WRITE_EVERY_S = 0.06
ASK_AGAIN_S = 0.02
PAGE = 10
LOST_AT_MOST = 20
"""Killed compactors whose publish may still arrive, one after the other."""
T = TypeVar("T")


class Answer(Protocol):
    @property
    def complete(self) -> bool: ...


A = TypeVar("A", bound=Answer)


class SlowLive:
    """LiveVH on a slow node: its answer is newer than the metadata that was read at the same time."""

    def __init__(self, live: LiveVH, random: Random) -> None:
        self._live = live
        self._random = random

    async def part(self, profile_id: str, limit: int, before: str | None = None) -> LivePart:
        await asyncio.sleep(self._random.random() * 0.1)
        return await self._live.part(profile_id, limit, before)


@dataclass
class Member:
    profile_id: str
    live: LiveVH
    compressed: CompressedVH
    random: Random
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    sent: dict[tuple[str, int], ViewingRecord] = field(default_factory=dict)
    """Every state that was ever sent, by session and seq."""
    newest: dict[str, int] = field(default_factory=dict)
    """The oracle: the newest acknowledged seq of each session."""
    reads: int = 0
    unanswered: int = 0
    """Requests that a store left open, wholly or in part, since one of its nodes was away. They were made again."""

    @asynccontextmanager
    async def watched(self, readers: int = 3) -> AsyncIterator[None]:
        """Events arrive and readers check, until the block ends; their first failure is the block's."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._write())]
            running += [tasks.create_task(self._read(slow=number % 2 == 0)) for number in range(readers)]
            yield
            for task in running:
                task.cancel()

    async def until(self, *, sessions: int = 0, reads: int = 0) -> None:
        """Until there are this many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.newest) < sessions or self.reads < reads:  # noqa: ASYNC110 - these change all the time
                await asyncio.sleep(0.005)

    async def compact(self) -> str:
        """A compactor that is not killed; run again when a killed one's compare-and-set arrives late and wins."""
        compactor = Compactor(self.live, self.compressed, self.metrics, RULES, lambda: NOW)
        for _ in range(LOST_AT_MOST):
            outcome = await self.answer(lambda: compactor.compact(self.profile_id))
            if outcome != "lost":
                return outcome
        raise AssertionError(f"lost {LOST_AT_MOST} times in a row")

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Asked again while the store is unavailable."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(TransientError):
                    return await ask()
                self.unanswered += 1
                await asyncio.sleep(ASK_AGAIN_S)

    async def whole_answer(self, ask: Callable[[], Awaitable[A]]) -> A:
        """Asked again also while a part is left out; not when a chunk is unreadable."""
        async with asyncio.timeout(PATIENCE_S):
            while not (answer := await self.answer(ask)).complete:
                assert not self.metrics.total(UNREADABLE_CHUNKS)
                self.unanswered += 1
                await asyncio.sleep(ASK_AGAIN_S)
        return answer

    async def orphans(self) -> set[ChunkId]:
        """Chunks that are stored and not listed."""
        metadata = await self.answer(lambda: self.compressed.metadata_serial(self.profile_id))
        listed = {chunk.id for chunk in metadata.chunks} if metadata else set()
        return set(await self.answer(lambda: self.compressed.stored_chunks(self.profile_id, 2**62))) - listed

    async def check(self, reader: HistoryReader) -> None:
        """The whole history holds what was acknowledged before."""
        known = dict(self.newest)
        whole = await self.whole_answer(lambda: reader.read_all(self.profile_id))
        self._hold(whole.records, known)

    async def check_page(self, reader: HistoryReader) -> None:
        """So does its newest page, down to where it ends."""
        known = dict(self.newest)
        page = await self.whole_answer(lambda: reader.page(self.profile_id, PAGE))
        oldest = page.items[-1].playback_session_id if page.next_cursor else ""  # ids are in the order of starts
        self._hold(page.items, {session: seq for session, seq in known.items() if session >= oldest})

    async def check_recent(self, reader: HistoryReader) -> None:
        """So do its newest sessions, however few a reader asks for."""
        known, limit = dict(self.newest), self.random.randint(1, 3 * PAGE)
        recent = await self.whole_answer(lambda: reader.read_recent(self.profile_id, limit))
        oldest = recent.records[-1].playback_session_id if len(recent.records) == limit else ""
        self._hold(recent.records, {session: seq for session, seq in known.items() if session >= oldest})

    def _hold(self, records: list[ViewingRecord], known: dict[str, int]) -> None:
        """Each session once, in the state that is known or a newer one; and nothing that was never sent."""
        found = {record.playback_session_id: record.seq for record in records}
        assert len(found) == len(records), "a session is there twice"
        missed = {session: seq for session, seq in known.items() if found.get(session, -1) < seq}
        assert not missed, f"missed or old: {missed}"
        for record in records:
            assert self.sent[record.playback_session_id, record.seq] == record
        self.reads += 1

    def reader(self, *, slow: bool = False) -> HistoryReader:
        return HistoryReader(SlowLive(self.live, self.random) if slow else self.live, self.compressed, self.metrics)

    async def _read(self, *, slow: bool) -> None:
        reader = self.reader(slow=slow)
        while True:
            await self.check(reader)
            await self.check_page(reader)
            await self.check_recent(reader)

    async def _write(self) -> None:
        while True:
            await self.write(self._new(), self._late(), self._replayed())
            await asyncio.sleep(WRITE_EVERY_S)

    async def write(self, *records: ViewingRecord) -> None:
        for record in records:
            self.sent[record.playback_session_id, record.seq] = record
        await self.answer(lambda: self.live.write(records))
        for record in records:
            session = record.playback_session_id
            self.newest[session] = max(self.newest.get(session, -1), record.seq)

    def _new(self) -> ViewingRecord:
        return self._state(len(self.newest), seq=self.random.randrange(5))

    def _late(self) -> ViewingRecord:
        """One more event of some session, which may have been rolled up long ago."""
        number = self.random.randrange(len(self.newest) + 1)
        return self._state(number, seq=self.newest.get(_session_id(number), 0) + self.random.randrange(2))

    def _replayed(self) -> ViewingRecord:
        return self.random.choice([*self.sent.values()]) if self.sent else self._new()

    def _state(self, number: int, seq: int) -> ViewingRecord:
        return viewing_record(
            profile_id=self.profile_id,
            playback_session_id=_session_id(number),
            session_started_at=T0 + number * MINUTE,
            seq=seq,
            received_at=T0 + number * MINUTE + seq,
            playhead_ms=number * 1_000 + seq,
        )


def _session_id(number: int) -> str:
    return f"018bcfe5-6800-7000-8000-{number:012d}"
