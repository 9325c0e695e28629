"""The pollers: each asks one source again and again, outside of any request, so open pages cost nothing extra.

A source that is away keeps its last numbers on the board, beside what went wrong and when they were read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from domain.ledger.state import HOUR_MS
from domain.quality.tally import MinuteFigures
from domain.titles.catalogue import CATALOGUE_KEY
from schemas.errors import TransientError
from schemas.events import DeadLetter, Playback
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services.http.titles import refresh
from services.ops.alerts import AlertWatch
from services.ops.experience import MINUTES, experience, starts_a_minute
from services.ops.ledger_status import ledger_status
from services.ops.pipeline_health import GROUPS, Offsets, PipelineHealth
from services.ops.ports import Connect, EventLog, ObjectStore
from services.ops.processes import ProcessWatch
from services.ops.state import SHOWN, Board

PEEK = 25
"""Newest records looked at in each partition whenever there are new ones."""
FIRST_PEEK = 500
"""The first time more, so that members who watched before we started are known."""
MINUTE_MS = 60_000
WEEK = 7 * 24 * 60
"""Minutes."""
WATCHED = (DEAD_LETTERS.name, EVENT_TOPICS["playback"].name)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Gatherers:
    """One method a source; each raises TransientError while its source is away."""

    board: Board
    event_log: EventLog
    connect: Connect
    store: ObjectStore
    processes: ProcessWatch
    alerts: AlertWatch
    health: PipelineHealth
    ping_registry: Callable[[], None]
    """Blocks; raises TransientError."""
    now: Callable[[], int]
    _peeked: dict[str, int] = field(default_factory=dict)
    """Records that the topics of WATCHED had when their newest were looked at."""

    async def kafka(self) -> None:
        """Offsets and commits; and the newest records of a topic that has grown."""
        try:
            offsets = await self.health.probe("kafka", self._offsets)
        except TransientError:
            self.health.clear_lag()
            raise
        now = self.now()
        self.health.set_lag(now, offsets)
        self.board.saw_offsets(now, offsets)
        for topic in WATCHED:
            total = self.board.total(topic)
            if self._peeked.get(topic, 0) != total:
                await self._peek(topic, PEEK if topic in self._peeked else FIRST_PEEK)
                self._peeked[topic] = total

    async def _offsets(self) -> Offsets:
        starts, ends = await asyncio.to_thread(self.event_log.offsets)
        committed = {group: await asyncio.to_thread(self.event_log.committed, group, ends) for group in GROUPS}
        return Offsets(starts, ends, committed)

    async def _peek(self, topic: str, count: int) -> None:
        records = [record for _, record in await asyncio.to_thread(self.event_log.newest, topic, count)]
        if topic == DEAD_LETTERS.name:
            self.board.refusals = [record for record in records if isinstance(record, DeadLetter)]
        else:
            self.board.played([record for record in records if isinstance(record, Playback)])

    async def cassandra(self) -> None:
        """What members see; and what the history answers for the sessions that the page shows, until it has answered
        the newest state of each."""
        minute = self.now() // MINUTE_MS
        minutes = await self.health.probe("cassandra", lambda: self._minutes(minute - MINUTES, minute))
        self.board.experience = experience(minutes, minute)
        stores = await self.connect()
        shown = {event.playback_session_id for event in self.board.playback[:SHOWN]}
        kept = {session: record for session, record in self.board.stored.items() if session in shown}
        for each in await asyncio.gather(*map(stores.history.read_recent, self.board.unseen())):
            kept |= {
                record.playback_session_id: record for record in each.records if record.playback_session_id in shown
            }
        self.board.stored = kept

    async def _minutes(self, first: int, last: int) -> Sequence[MinuteFigures]:
        return await (await self.connect()).minutes.minutes("device", first, last)

    async def last_week(self) -> None:
        minute = self.now() // MINUTE_MS - WEEK
        around = await self._minutes(minute - MINUTES // 2, minute + MINUTES // 2)
        self.board.starts_last_week = starts_a_minute(around)

    async def ledger(self) -> None:
        """What the ledger compared, and what it found."""
        offsets = self.board.offsets
        if offsets is None:
            return
        book = (await self.connect()).ledger
        topic_ids = await asyncio.to_thread(self.event_log.topic_ids)
        partitions = sorted(offsets.ends)
        accounts = await asyncio.gather(*(book.account(topic_ids[topic], number) for topic, number in partitions))
        found = dict(zip(partitions, accounts, strict=True))
        self.board.ledger = ledger_status(found, offsets.starts, offsets.ends, self.now() // HOUR_MS)

    async def lake(self) -> None:
        await self.health.probe("s3", lambda: asyncio.to_thread(lambda: next(self.store.list(CATALOGUE_KEY, ""), None)))

    async def registry(self) -> None:
        await self.health.probe("registry", lambda: asyncio.to_thread(self.ping_registry))

    async def catalogue(self) -> None:
        await refresh(self.board.catalogue, self.store.get)

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
            ("lake", self.lake, 2),
            ("registry", self.registry, 2),
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
