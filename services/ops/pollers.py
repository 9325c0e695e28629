"""The pollers: each asks one source again and again, outside of any request, so open pages cost nothing extra.

A source that is away keeps its last numbers on the board, beside what went wrong and when they were read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from domain.ledger.state import HOUR_MS
from domain.processes import BY_NAME, PROCESSES
from domain.quality.ports import Minutes
from domain.titles.catalogue import CATALOGUE_KEY, read_titles
from schemas.errors import TransientError
from schemas.events import DeadLetter, Playback
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services.ops.alerts import AlertWatch
from services.ops.chains import walk_all
from services.ops.experience import MINUTES, experience, starts_a_minute
from services.ops.ledger_status import compared
from services.ops.processes import ProcessWatch
from services.ops.state import SHOWN, Board
from services.ports import EventLog, History, LedgerReader, ObjectStore, Partition

PEEK = 25
"""Newest records looked at in each partition whenever there are new ones."""
FIRST_PEEK = 500
"""The first time more, so that members who watched before we started are known."""
MINUTE_MS = 60_000
WEEK = 7 * 24 * 60
"""Minutes."""
WATCHED = (DEAD_LETTERS.name, EVENT_TOPICS["playback"].name)
GROUPS = tuple(process.group for process in PROCESSES if process.group)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Gatherers:
    """One method a source; each raises TransientError while its source is away."""

    board: Board
    event_log: EventLog
    history: History
    quality: Minutes
    book: LedgerReader
    store: ObjectStore
    processes: ProcessWatch
    alerts: AlertWatch
    now: Callable[[], int]
    _peeked: dict[str, int] = field(default_factory=dict)
    """Records that the topics of WATCHED had when their newest were looked at."""

    async def kafka(self) -> None:
        """Offsets, commits; and the newest records of a topic that has grown."""
        starts, ends = await asyncio.to_thread(self.event_log.offsets)
        committed = {group: await asyncio.to_thread(self.event_log.committed, group, ends) for group in GROUPS}
        self.board.offsets(self.now(), starts, ends, committed)
        for topic in WATCHED:
            total = self.board.total(topic)
            if self._peeked.get(topic, 0) != total:
                await self._peek(topic, PEEK if topic in self._peeked else FIRST_PEEK)
                self._peeked[topic] = total

    async def _peek(self, topic: str, count: int) -> None:
        records = [record for _, record in await asyncio.to_thread(self.event_log.newest, topic, count)]
        if topic == DEAD_LETTERS.name:
            self.board.refusals = [record for record in records if isinstance(record, DeadLetter)]
        else:
            self.board.played([record for record in records if isinstance(record, Playback)])

    async def cassandra(self) -> None:
        """Read back what the history answers for the sessions that the page shows, until it has answered the newest
        state of each; and what members see."""
        shown = {event.playback_session_id for event in self.board.playback[:SHOWN]}
        kept = {session: record for session, record in self.board.stored.items() if session in shown}
        for each in await asyncio.gather(*map(self.history.read_all, self.board.unseen())):
            kept |= {
                record.playback_session_id: record for record in each.records if record.playback_session_id in shown
            }
        self.board.stored = kept
        minute = self.now() // MINUTE_MS
        minutes = await self.quality.minutes("device", minute - MINUTES, minute)
        self.board.experience = experience(minutes, minute)

    async def last_week(self) -> None:
        minute = self.now() // MINUTE_MS - WEEK
        around = await self.quality.minutes("device", minute - MINUTES // 2, minute + MINUTES // 2)
        self.board.starts_last_week = starts_a_minute(around)

    async def ledger(self) -> None:
        """What the continuous ledger has found."""
        if not self.board.ends:
            return
        topic_ids = await asyncio.to_thread(self.event_log.topic_ids)
        partitions = sorted(self.board.ends)
        accounts = await asyncio.gather(*(self.book.account(topic_ids[topic], number) for topic, number in partitions))
        self.board.compared = compared(dict(zip(partitions, accounts, strict=True)), self.now() // HOUR_MS)

    async def lake(self) -> None:
        if not self.board.ends:
            return
        topics = set(BY_NAME["lake"].topics)
        known = sorted(at for at in self.board.ends if at[0] in topics)
        partitions = [at for at in known if self._lacks(at)] or known[:1]  # one in any case: is the store there?
        topic_ids = await asyncio.to_thread(self.event_log.topic_ids)
        try:
            chains = await asyncio.to_thread(walk_all, self.store, partitions, topic_ids, self.board.chains)
        except KeyError as error:
            raise TransientError("an object of the lake vanished while it was read") from error
        self.board.chains = {**self.board.chains, **chains}

    def _lacks(self, partition: Partition) -> bool:
        chain = self.board.chains.get(partition)
        return (chain.end if chain else 0) != self.board.ends[partition]  # beyond it: the topic was recreated

    async def catalogue(self) -> None:
        with suppress(KeyError):  # there is none yet; ids stand for names
            self.board.catalogue.replace(read_titles(await asyncio.to_thread(self.store.get, CATALOGUE_KEY)))

    async def process_health(self) -> None:
        self.board.processes = await self.processes.look(self.now())

    async def firing(self) -> None:
        self.board.alerts = await self.alerts.look(self.now())

    async def once(self) -> None:
        """Every source once, in an order in which each finds what it needs."""
        for name, gather, _ in self.plan():
            await self._try(name, gather)

    async def forever(self) -> None:
        await asyncio.gather(*(self._repeat(name, gather, seconds) for name, gather, seconds in self.plan()))

    def plan(self) -> tuple[tuple[str | None, Callable[[], Awaitable[None]], float], ...]:
        """(source, method, seconds between two looks)"""
        return (
            ("kafka", self.kafka, 2),
            ("cassandra", self.cassandra, 2),
            ("lake", self.lake, 3),
            (None, self.ledger, 5),  # Cassandra's health is told by the other one
            ("processes", self.process_health, 3),
            (None, self.last_week, 30),
            (None, self.firing, 3),
            (None, self.catalogue, 60),
        )

    async def _repeat(self, source: str | None, gather: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            failed = not await self._try(source, gather)
            await asyncio.sleep(min(seconds, 3) if failed else seconds)

    async def _try(self, source: str | None, gather: Callable[[], Awaitable[None]]) -> bool:
        try:
            await gather()
        except TransientError as error:
            if source and self.board.sources[source].failed(str(error)):
                log.warning("source away", source=source, reason=str(error))
            return False
        if source and self.board.sources[source].answered(self.now()):
            log.info("source answers", source=source)
        return True
