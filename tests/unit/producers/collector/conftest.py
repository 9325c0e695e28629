"""The collector's app on a fake Kafka, spoken to over HTTP in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest

from domain.api_keys import hashed
from domain.identity.revocations import Revocation, Revocations
from domain.metrics import COLLECTOR_IN_FLIGHT
from producers.collector.app import build_app
from producers.collector.authentication import Authentication
from producers.collector.byte_budget import ByteBudget
from producers.collector.examples import EXAMPLES, SENT_AT
from producers.collector.handler import EventsHandler
from producers.ports import Message
from schemas import codec
from schemas.events import DeadLetter
from schemas.framing import unframe
from tests.support.fake_metrics import FakeMetrics
from tests.support.fakes import FakeLog
from tests.support.identity import verifier

NOW = SENT_AT + 1_000
REVOKED = Revocations[Revocation]()
AUTHENTICATION = Authentication(
    {"old": hashed("secret"), "new": hashed("other")},
    {"web": hashed("signed-out")},
    verifier(lambda: NOW, REVOKED.covers).verify,
    {"tv.example"},
)
SCHEMA_IDS = {
    "ui": 1, "playback": 2, "error": 3, "diagnostic": 4, "processing": 5, "performance": 6, "dead_letter": 8,
}  # fmt: skip


@dataclass
class Collector:
    client: httpx.AsyncClient
    log: FakeLog
    metrics: FakeMetrics
    stopping: bool = False

    async def post(
        self,
        *events: Any,
        sent_at: int = SENT_AT,
        query: str = "",
        headers: dict[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        """Send events with the right key and type, or ``content`` as it is."""
        if content is None:
            content = msgspec.json.encode({"sent_at": sent_at, "events": events})
        given = {"Authorization": "Bearer secret", "Content-Type": "application/json", **(headers or {})}
        return await self.client.post(f"/v1/events{query}", content=content, headers=given)

    @property
    def in_flight(self) -> float:
        """Bytes of bodies."""
        return self.metrics.gauges[COLLECTOR_IN_FLIGHT].get((), 0)

    def on(self, topic: str) -> list[Message]:
        return [message for message in self.log.stored if message.topic == topic]

    def dead_letters(self) -> list[DeadLetter]:
        letters = [codec.decode("dead_letter", unframe(m.value)[1]) for m in self.on("playhead.dead_letters")]
        return [letter for letter in letters if isinstance(letter, DeadLetter)]


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until it holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came true")


def event(example: str = "ui", **changes: Any) -> dict[str, Any]:
    """A valid event as a client sends it; a field set to None is left out."""
    return {name: value for name, value in (EXAMPLES[example] | changes).items() if value is not None}


@pytest.fixture
def wait_seconds() -> float:
    return 10.0


@pytest.fixture
def schema_ids() -> dict[str, int]:
    return SCHEMA_IDS


@pytest.fixture
async def collector(wait_seconds: float, schema_ids: dict[str, int]) -> AsyncIterator[Collector]:
    async with running(wait_seconds, schema_ids) as made:
        yield made


@asynccontextmanager
async def running(wait_seconds: float, schema_ids: dict[str, int]) -> AsyncIterator[Collector]:
    log, metrics = FakeLog(), FakeMetrics()
    budget = ByteBudget(2**21, partial(metrics.set, COLLECTOR_IN_FLIGHT))
    intake = EventsHandler(log, budget, AUTHENTICATION, schema_ids, lambda: NOW, metrics, wait_seconds)
    app = build_app(intake, lambda: made.stopping, lambda: b"playhead_up 1\n")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
        made = Collector(client, log, metrics)
        yield made
