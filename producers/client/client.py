"""A client for Python programs: a bounded queue, and one sender that keeps each event until it has a verdict.

    async with connected("http://127.0.0.1:20001", "playhead-local", envelope) as client:
        client.add("ui", action="impression", page="home", row=0, position=2, title_id="ml-50")

The promises are those of the browser's SDK, but for its storage: what waits when the program is killed is lost.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import httpx
import msgspec
import structlog
from uuid_utils import uuid7

from domain.clock import Clock, system_clock
from producers.client.sender import REQUEST_EVENTS, Credential, HttpPost, Outcome, PendingEvent, Post, Sender

MAX_WAITING_BYTES = 1_000_000
"""Of events without a verdict."""
REQUEST_BYTES = 500_000
FLUSH_S = 1.0
"""Events of a second go in one request."""
PATIENCE_S = 15.0
"""For one answer; longer than a collector waits for Kafka."""
PRIORITY = ("diagnostic", "processing", "playback", "error", "performance", "ui")
"""What is dropped last comes first. The report of drops is a diagnostic event."""

log = structlog.get_logger()


class Waiting(NamedTuple):
    event: PendingEvent
    bytes: int


class Client:
    def __init__(
        self, post: Post, envelope: Mapping[str, Any], clock: Clock = system_clock, max_bytes: int = MAX_WAITING_BYTES
    ) -> None:
        """``envelope``: fields that all events have, such as ``device_id``. ``clock``: milliseconds since 1970."""
        self.dropped: Counter[str] = Counter()
        """Events that found no room, by family."""
        self._envelope, self._clock, self._max_bytes = envelope, clock, max_bytes
        self._give_up, self._added, self._closing = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._sender = Sender(post, self._note, clock, self._give_up)
        self._waiting: dict[str, Waiting] = {}
        self._flying: frozenset[str] = frozenset()
        self._bytes = 0
        self._report: str | None = None
        self._unreported: Counter[str] = Counter()
        self._encode = msgspec.json.Encoder().encode

    @property
    def tally(self) -> Mapping[Outcome, int]:
        """Events by what became of them."""
        return self._sender.tally

    def add(self, family: str, **fields: Any) -> str:
        """Queue an event and return its id. Never waits: if the queue is full, the oldest of the least important go."""
        event_id = self._push(family, fields)
        self._make_room()
        return event_id

    async def run(self) -> None:
        """Send until ``close``. Raises Rejected if the collector refuses a credential that it never accepted."""
        while self._waiting or not self._closing.is_set():
            await self._soon()
            if batch := self._batch():
                self._flying = frozenset(event.event_id for event in batch)
                await self._sender.send(batch)
                self._flying = frozenset()

    async def close(self, grace_s: float) -> None:
        """Let what waits be sent. After ``grace_s`` seconds what has no verdict is given up, and counted unanswered."""
        self._closing.set()
        self._added.set()
        asyncio.get_running_loop().call_later(grace_s, self._give_up.set)

    async def _soon(self) -> None:
        """Until there is something to send, and a moment longer if it is less than a request can hold."""
        if not self._waiting:
            self._added.clear()
            await self._added.wait()
        if len(self._waiting) < REQUEST_EVENTS:
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._closing.wait()

    def _batch(self) -> list[PendingEvent]:
        """The oldest, at least one."""
        batch: list[PendingEvent] = []
        size = 0
        for each in self._waiting.values():
            size += each.bytes
            if batch and (size > REQUEST_BYTES or len(batch) == REQUEST_EVENTS):
                break
            batch.append(each.event)
        return batch

    def _push(self, family: str, fields: Mapping[str, Any]) -> str:
        event_id = str(uuid7())
        raw = {"family": family, "event_id": event_id, "client_time": self._clock(), **self._envelope, **fields}
        waiting = Waiting(PendingEvent(event_id, family, 0, raw), len(self._encode(raw)))
        self._waiting[event_id] = waiting
        self._bytes += waiting.bytes
        self._added.set()
        return event_id

    def _remove(self, event_id: str) -> None:
        self._bytes -= self._waiting.pop(event_id).bytes

    def _make_room(self) -> None:
        gone: Counter[str] = Counter()
        for family in reversed(PRIORITY):
            for event, _ in [*self._waiting.values()] if self._bytes > self._max_bytes else ():
                kept = event.event_id == self._report or event.event_id in self._flying
                if self._bytes > self._max_bytes and event.family == family and not kept:
                    self._remove(event.event_id)
                    gone[family] += 1
        if gone:
            self._report_drops(gone)

    def _report_drops(self, gone: Counter[str]) -> None:
        """A report that was not sent yet is replaced by one of all drops; one that has left is followed by another."""
        self.dropped += gone
        if self._report in self._waiting and self._report not in self._flying:
            self._remove(self._report)
            gone += self._unreported
        self._unreported = gone
        counts = {family: str(count) for family, count in gone.items()}
        self._report = self._push("diagnostic", {"name": "events_dropped", "level": "warning", "fields": counts})

    def _note(self, events: Sequence[PendingEvent], outcome: Outcome, field: str | None) -> None:
        if outcome == "sent":
            return
        for event in events:
            self._remove(event.event_id)
            if outcome == "refused":
                log.warning("event refused", event_id=event.event_id, family=event.family, field=field)


@asynccontextmanager
async def connected(
    collector: str, credential: Credential, envelope: Mapping[str, Any], *, grace_s: float = 30.0
) -> AsyncIterator[Client]:
    """A client that sends while the block runs. At the end it takes up to ``grace_s`` seconds to send what waits.

    ``collector``: its address. Raises Rejected at the end of the block if the collector refused a ``credential`` that
    it never accepted. A token that gets a 401 is asked for again instead.
    """
    async with httpx.AsyncClient(base_url=collector, timeout=PATIENCE_S) as http:
        client = Client(HttpPost(http, credential), envelope)
        sending = asyncio.create_task(client.run())
        try:
            yield client
        finally:
            await client.close(grace_s)
            await sending
