"""Publishes one outbox in the order of seq, at least once, and marks what Kafka has acknowledged.

A relay that was stopped, or cut off, for longer than its lease may find that another has gone on meanwhile. What it
published then is behind newer records of the same keys. So it asks the new holder for the newest row of these keys
once more, and ends: the process starts again with nothing in memory.
"""

import asyncio
from contextlib import suppress

import structlog

from domain.clock import Clock
from domain.metrics import OUTBOX_OLDEST, OUTBOX_PUBLISHED, OUTBOX_WAITING, RETRIES, Metrics
from domain.outbox.lease import Lease
from domain.outbox.ports import Log, Outbox
from domain.outbox.rows import Key, keys, published
from schemas.errors import TransientError
from schemas.topics import DAY_MS

BATCH = 500
IDLE_S = 0.2
STANDBY_S = 1.0
"""While another relay holds the lease: to ask for it is a transaction."""
RETRY_S = 1.0
REPORT_S = 5.0
KEPT_DAYS = 7
FORGET_EVERY_S = 3600.0
FORGOTTEN_AT_ONCE = 1_000

_log = structlog.get_logger(__name__)


class Late(Exception):
    """Another relay has the lease, and may have published newer records than those that this one just did."""


class Relay:
    def __init__(self, name: str, outbox: Outbox, log: Log, lease: Lease, metrics: Metrics, now: Clock) -> None:
        """``name``: of the outbox's service."""
        self._name = name
        self._outbox = outbox
        self._kafka = log
        self._lease = lease
        self._metrics = metrics
        self._now = now
        self._unsure: set[Key] = set()
        """Keys of which records may be in Kafka that are not marked."""

    async def step(self) -> bool:
        """Publish a batch. Returns whether there was one.

        Raises TransientError while a backend is away, Late if another relay took over in the middle.
        """
        if not self._lease.covers_a_batch and not await self._hold():
            return False
        rows = await self._outbox.unpublished(BATCH)
        if not rows or not self._lease.covers_a_batch:
            return False
        self._unsure |= keys(rows)
        unacknowledged = await asyncio.to_thread(self._kafka.publish, rows)
        done, asked = published(rows, unacknowledged), self._lease.ask()
        if done:
            if not await self._outbox.mark([row.id for row in done], self._now()):
                await self._give_way()
            self._lease.granted(asked)
            for row in done:
                self._metrics.increment(OUTBOX_PUBLISHED, topic=row.topic)
        marked = {row.id for row in done}
        self._unsure = (self._unsure - keys(rows)) | keys(row for row in rows if row.id not in marked)
        if unacknowledged:
            raise TransientError(f"Kafka has not acknowledged {len(unacknowledged)} of {len(rows)} records in time")
        return True

    async def _hold(self) -> bool:
        asked = self._lease.ask()
        if await self._outbox.hold():
            self._lease.granted(asked)
            return True
        self._lease.lost()
        if self._unsure:
            await self._give_way()
        return False

    async def _give_way(self) -> None:
        await self._outbox.publish_again(self._unsure)
        raise Late(f"another relay publishes the outbox of {self._name} now")

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then the lease is free at once. Raises Late."""
        while not stop.is_set():
            try:
                idle = None if await self.step() else IDLE_S if self._lease.covers_a_batch else STANDBY_S
            except TransientError as error:
                self._metrics.increment(RETRIES, operation="relay")
                _log.warning("waiting", outbox=self._name, why=str(error))
                idle = RETRY_S
            if idle is not None:
                await _passed(stop, idle)
        with suppress(TransientError):  # then it ends by itself
            await self._outbox.release()

    async def report(self, stop: asyncio.Event) -> None:
        """Until ``stop``: how much waits, and for how long, also without the lease. Deletes what is old."""
        forgotten_at = float("-inf")
        clock = asyncio.get_running_loop().time
        while not stop.is_set():
            try:
                waiting = await self._outbox.waiting()
                age = 0.0 if waiting.oldest_at is None else max(0, self._now() - waiting.oldest_at) / 1000
                self._metrics.set(OUTBOX_WAITING, waiting.rows, outbox=self._name)
                self._metrics.set(OUTBOX_OLDEST, age, outbox=self._name)
                if clock() - forgotten_at >= FORGET_EVERY_S:
                    await self._forget()
                    forgotten_at = clock()
            except TransientError:  # ``run`` says so
                self._metrics.set(OUTBOX_WAITING, None, outbox=self._name)
                self._metrics.set(OUTBOX_OLDEST, None, outbox=self._name)
            await _passed(stop, REPORT_S)

    async def _forget(self) -> None:
        before = (self._now() // DAY_MS - KEPT_DAYS) * DAY_MS
        while await self._outbox.forget(before, FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE:
            pass


async def _passed(stop: asyncio.Event, seconds: float) -> None:
    """Wait that long, or until ``stop``."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
