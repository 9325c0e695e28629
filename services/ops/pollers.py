"""The pollers: each asks one source at an interval, whether or not a page is open.

A source that is unreachable keeps its last numbers in the state, with the error and the time of the last answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from domain.lake.ports import ObjectReader
from domain.ledger.state import HOUR_MS
from domain.quality.tally import MinuteFigures
from domain.titles.catalogue import CATALOGUE_KEY
from schemas.errors import TransientError
from schemas.events import DeadLetter, Playback
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services.http.titles import refresh
from services.ops.alerts import AlertMonitor
from services.ops.experience import MINUTES, experience, starts_a_minute
from services.ops.ledger_status import ledger_status
from services.ops.pipeline_health import Offsets, PipelineHealth
from services.ops.ports import Connect, EventLog
from services.ops.processes import ProcessMonitor
from services.ops.state import SHOWN, OpsState

NEWEST = 25
"""Newest records read of each partition when there are new ones."""
NEWEST_AT_START = 500
"""More the first time, to know members who watched before the start."""
MINUTE_MS = 60_000
WEEK = 7 * 24 * 60
"""Minutes."""
WATCHED = (DEAD_LETTERS.name, EVENT_TOPICS["playback"].name)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pollers:
    """One method per source; each raises TransientError while its source is unreachable."""

    state: OpsState
    event_log: EventLog
    connect: Connect
    store: ObjectReader
    processes: ProcessMonitor
    alerts: AlertMonitor
    health: PipelineHealth
    ping_registry: Callable[[], None]
    """Blocks; raises TransientError."""
    ping_mariadb: Callable[[], Awaitable[None]] | None
    """Raises TransientError; None: nothing here needs MariaDB."""
    write_probe: Callable[[], None]
    """Stores a small object. Blocks; raises TransientError."""
    now: Callable[[], int]
    _totals: dict[str, int] = field(default_factory=dict)
    """Records in each topic of WATCHED when its newest were read."""

    async def kafka(self) -> None:
        """Offsets and commits; and the newest records of a topic that has grown."""
        try:
            offsets = await self.health.probe("kafka", self._offsets)
        except TransientError:
            self.health.clear_lag()
            raise
        now = self.now()
        self.health.set_lag(now, offsets)
        self.state.observe_offsets(now, offsets)
        for topic in WATCHED:
            total = self.state.total(topic)
            if self._totals.get(topic, 0) != total:
                await self._read_newest(topic, NEWEST if topic in self._totals else NEWEST_AT_START)
                self._totals[topic] = total

    async def _offsets(self) -> Offsets:
        starts, ends = await asyncio.to_thread(self.event_log.offsets)
        groups = self.health.groups
        committed = {group: await asyncio.to_thread(self.event_log.committed, group, ends) for group in groups}
        return Offsets(starts, ends, committed, groups)

    async def _read_newest(self, topic: str, count: int) -> None:
        records = [record for _, record in await asyncio.to_thread(self.event_log.newest, topic, count)]
        if topic == DEAD_LETTERS.name:
            self.state.dead_letters = [record for record in records if isinstance(record, DeadLetter)]
        else:
            self.state.observe_playback([record for record in records if isinstance(record, Playback)])

    async def cassandra(self) -> None:
        """What members see; and what the history answers for the sessions that the page shows, until it has answered
        the newest state of each."""
        minute = self.now() // MINUTE_MS
        minutes = await self.health.probe("cassandra", lambda: self._minutes(minute - MINUTES, minute))
        self.state.experience = experience(minutes, minute)
        stores = await self.connect()
        shown = {event.playback_session_id for event in self.state.playback[:SHOWN]}
        kept = {session: record for session, record in self.state.stored.items() if session in shown}
        for each in await asyncio.gather(*map(stores.history.read_recent, self.state.members_to_read())):
            kept |= {
                record.playback_session_id: record for record in each.records if record.playback_session_id in shown
            }
        self.state.stored = kept

    async def _minutes(self, first: int, last: int) -> Sequence[MinuteFigures]:
        return await (await self.connect()).minutes.minutes("device", first, last)

    async def last_week(self) -> None:
        minute = self.now() // MINUTE_MS - WEEK
        around = await self._minutes(minute - MINUTES // 2, minute + MINUTES // 2)
        self.state.starts_last_week = starts_a_minute(around)

    async def ledger(self) -> None:
        """What the ledger compared, and what it found."""
        offsets = self.state.offsets
        if offsets is None:
            return
        ledger = (await self.connect()).ledger
        topic_ids = await asyncio.to_thread(self.event_log.topic_ids)
        partitions = sorted(offsets.ends)
        states = await asyncio.gather(*(ledger.state(topic_ids[topic], number) for topic, number in partitions))
        found = dict(zip(partitions, states, strict=True))
        self.state.ledger = ledger_status(found, offsets.starts, offsets.ends, self.now() // HOUR_MS)

    async def lake(self) -> None:
        await self.health.probe("s3", lambda: asyncio.to_thread(lambda: next(self.store.list(CATALOGUE_KEY, ""), None)))

    async def lake_writes(self) -> None:
        await self.health.probe_writes("s3", lambda: asyncio.to_thread(self.write_probe))

    async def registry(self) -> None:
        await self.health.probe("registry", lambda: asyncio.to_thread(self.ping_registry))

    async def mariadb(self) -> None:
        if self.ping_mariadb:
            await self.health.probe("mariadb", self.ping_mariadb)

    async def catalogue(self) -> None:
        await refresh(self.state.catalogue, self.store.get)

    async def process_metrics(self) -> None:
        self.state.processes = await self.processes.poll(self.now())

    async def firing_alerts(self) -> None:
        self.state.alerts = await self.alerts.poll(self.now())

    async def once(self) -> None:
        """Every source once: Kafka first, whose offsets others need."""
        for name, poll, _ in self.plan():
            await self._try(name, poll)

    async def forever(self) -> None:
        await asyncio.gather(*(self._repeat(name, poll, seconds) for name, poll, seconds in self.plan()))

    def plan(self) -> tuple[tuple[str | None, Callable[[], Awaitable[None]], float], ...]:
        """(source, method, seconds between polls)"""
        return (
            ("kafka", self.kafka, 2),
            ("cassandra", self.cassandra, 2),
            ("lake", self.lake, 2),
            ("registry", self.registry, 2),
            *((("mariadb", self.mariadb, 2),) if self.ping_mariadb else ()),
            (None, self.ledger, 5),  # the other one reports Cassandra's health
            ("processes", self.process_metrics, 3),
            ("lake_writes", self.lake_writes, 8),  # the page takes what is older than 12 s for old
            (None, self.last_week, 30),
            (None, self.firing_alerts, 3),
            (None, self.catalogue, 60),
        )

    async def _repeat(self, source: str | None, poll: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            failed = not await self._try(source, poll)
            await asyncio.sleep(min(seconds, 3) if failed else seconds)

    async def _try(self, source: str | None, poll: Callable[[], Awaitable[None]]) -> bool:
        try:
            await poll()
        except TransientError as error:
            if source and self.state.sources[source].failed(str(error)):
                log.warning("source unreachable", source=source, reason=str(error))
            return False
        if source and self.state.sources[source].answered(self.now()):
            log.info("source answers", source=source)
        return True
