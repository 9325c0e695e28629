"""Live mode: viewers who watch now, by the real clock, and send over HTTP as real clients do. Nothing is sped up.

Every viewer is one task. Some come back from watching offline: what they send first happened hours ago.
"""

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Any

import httpx
import msgspec

from producers.ports import Clock
from producers.simulator.audience import Member
from producers.simulator.corruption import corrupt_json
from producers.simulator.devices import HOUR_MS, Trouble
from producers.simulator.network import FLUSH_MS, Delivery, Faults, arrivals
from producers.simulator.sender import Letter, Outbox, Reply
from producers.simulator.viewer import FOREVER
from producers.simulator.visits import Span, Visit, come, jobs
from producers.simulator.watchlist import Shelf
from schemas.client_events import STAMPED
from schemas.errors import TransientError
from schemas.events import Event, family

ALREADY_THERE_MS = 20_000
"""So long before the run the first viewers came, so that not everybody is still browsing."""


@dataclass(frozen=True, slots=True)
class Run:
    began_at: int
    seconds: float
    heartbeat_ms: int
    seed: int
    faults: Faults
    visit_ms: int = FOREVER
    """So long after they came viewers leave, to come again."""
    trouble: Trouble | None = None

    @property
    def span(self) -> Span:
        """Viewers leave at the end of the run; a flush later the last of their events have gone."""
        leave_by = self.began_at + round(self.seconds * 1000)
        return Span(self.began_at - ALREADY_THERE_MS, leave_by + FLUSH_MS + 1_000, leave_by, self.heartbeat_ms)


def scripts(members: Sequence[Member], run: Run) -> list[Iterator[Delivery]]:
    """One a viewer, and one for our machines: what to send and when (`received_at`, true time), in order."""
    if run.trouble:
        members = [_with(run.trouble, member) for member in members]
    offline = math.ceil(run.faults.late * len(members))
    faults = replace(run.faults, late=0.0)  # here it is whole visits of the past
    viewers = [
        chain(_earlier(member, run) if number < offline else (), _now(member, run))
        for number, member in enumerate(members)
    ]
    sources = [*viewers, jobs(members, run.span, run.seed)]
    return [arrivals(visits, faults, run.span, f"{run.seed}/{number}") for number, visits in enumerate(sources)]


async def attend(script: Iterable[Delivery], outbox: Outbox, clock: Clock, stop: asyncio.Event) -> None:
    """Send what is due when it is due, until the script ends or `stop` is set."""
    due: list[Letter] = []
    for delivery in script:
        if due and delivery.received_at > clock():
            await outbox.send(due)
            due = []
        if stop.is_set() or await _stopped_before(delivery.received_at, clock, stop):
            break
        due.append(_letter(delivery))
    await outbox.send(due)


class HttpPost:
    """The collector's front door, as a client knows it."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    async def __call__(self, body: bytes) -> Reply:
        try:
            answer = await self._client.post("/v1/events", content=body, headers=self._headers)
            content = msgspec.json.decode(answer.content, type=dict[str, Any])
        except httpx.TransportError as error:
            raise TransientError(f"the collector did not answer: {error!r}") from error
        except msgspec.MsgspecError as error:
            raise TransientError("the answer is not JSON: not the collector's") from error
        return Reply(answer.status_code, content, float(answer.headers.get("Retry-After", 0)))


def _with(trouble: Trouble, member: Member) -> Member:
    return replace(member, devices=tuple(map(trouble.befall, member.devices)))


def _earlier(member: Member, run: Run) -> Iterator[Visit]:
    """A visit of hours ago, watched without a network."""
    rng = Random(f"{run.seed}/offline/{member.profile_id}")
    at = run.began_at - round(rng.uniform(4, 9) * HOUR_MS)
    yield come(member, Shelf(member.tastes, rng), at, Span(at, at, leave_by=at + 2 * HOUR_MS), rng)


def _now(member: Member, run: Run) -> Iterator[Visit]:
    """One visit after the other until it is time to leave."""
    rng = Random(f"{run.seed}/live/{member.profile_id}")
    shelf, span = Shelf(member.tastes, rng), run.span
    at = span.since + rng.randrange(ALREADY_THERE_MS)
    while at < span.leave_by:
        visit = come(member, shelf, at, replace(span, leave_by=min(span.leave_by, at + run.visit_ms)), rng)
        yield visit
        at = visit.events[-1].client_time - visit.clock_ahead_ms + rng.randint(2_000, 15_000)


async def _stopped_before(at: int, clock: Clock, stop: asyncio.Event) -> bool:
    seconds = (at - clock()) / 1000
    if seconds <= 0:
        return False
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False


def _letter(delivery: Delivery) -> Letter:
    raw = _as_posted(delivery.event)
    if delivery.corruption is not None:
        raw, _ = corrupt_json(raw, delivery.corruption)
    return Letter(delivery.event.event_id, family(delivery.event), delivery.clock_ahead_ms, raw)


def _as_posted(event: Event) -> dict[str, Any]:
    """The event's JSON object: without what the request or the collector says, and without nulls."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return {name: value for name, value in fields.items() if name not in STAMPED and value is not None}
