"""Live mode: viewers watch in real time and send over HTTP as real clients do.

Each viewer is one task. Some return from watching offline, so their first events are hours old.
"""

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Any

import msgspec

from producers.client.sender import PendingEvent, Sender
from producers.ports import Clock
from producers.simulator.audience import Member
from producers.simulator.corruption import corrupt_json
from producers.simulator.devices import HOUR_MS, BadRelease
from producers.simulator.network import FLUSH_MS, Delivery, Faults, arrivals
from producers.simulator.viewer import FOREVER
from producers.simulator.visits import Span, Visit, jobs, visit_of
from producers.simulator.watchlist import Watchlist
from schemas.client_events import STAMPED
from schemas.events import Event, family

ALREADY_THERE_MS = 20_000
"""The first viewers arrive this long before the run, so that some already play when it begins."""


@dataclass(frozen=True, slots=True)
class Run:
    began_at: int
    seconds: float
    heartbeat_ms: int
    seed: int
    faults: Faults
    visit_ms: int = FOREVER
    """Viewers leave after this long and come back later."""
    bad_release: BadRelease | None = None

    @property
    def span(self) -> Span:
        """Viewers leave at the end of the run. Their last events are sent one flush later."""
        leave_by = self.began_at + round(self.seconds * 1000)
        return Span(self.began_at - ALREADY_THERE_MS, leave_by + FLUSH_MS + 1_000, leave_by, self.heartbeat_ms)


def schedules(members: Sequence[Member], run: Run) -> list[Iterator[Delivery]]:
    """One schedule per viewer and one for our own machines: what to send and when (``received_at``, true time)."""
    if run.bad_release:
        members = [_with_release(run.bad_release, member) for member in members]
    offline = math.ceil(run.faults.late * len(members))
    faults = replace(run.faults, late=0.0)  # here whole past visits are late
    viewers = [
        chain(_offline_visit(member, run) if number < offline else (), _live_visits(member, run))
        for number, member in enumerate(members)
    ]
    sources = [*viewers, jobs(members, run.span, run.seed)]
    return [arrivals(visits, faults, run.span, f"{run.seed}/{number}") for number, visits in enumerate(sources)]


async def play_schedule(schedule: Iterable[Delivery], sender: Sender, clock: Clock, stop: asyncio.Event) -> None:
    """Send each delivery when it is due, until the schedule ends or ``stop`` is set."""
    due: list[PendingEvent] = []
    for delivery in schedule:
        if due and delivery.received_at > clock():
            await sender.send(due)
            due = []
        if stop.is_set() or await _stopped_before(delivery.received_at, clock, stop):
            break
        due.append(_pending(delivery))
    await sender.send(due)


def _with_release(bad_release: BadRelease, member: Member) -> Member:
    return replace(member, devices=tuple(map(bad_release.apply_to, member.devices)))


def _offline_visit(member: Member, run: Run) -> Iterator[Visit]:
    """A visit hours ago, watched offline."""
    rng = Random(f"{run.seed}/offline/{member.profile_id}")
    at = run.began_at - round(rng.uniform(4, 9) * HOUR_MS)
    yield visit_of(member, Watchlist(member.tastes, rng), at, Span(at, at, leave_by=at + 2 * HOUR_MS), rng)


def _live_visits(member: Member, run: Run) -> Iterator[Visit]:
    """Visits, one after the other, until the end of the run."""
    rng = Random(f"{run.seed}/live/{member.profile_id}")
    watchlist, span = Watchlist(member.tastes, rng), run.span
    at = span.since + rng.randrange(ALREADY_THERE_MS)
    while at < span.leave_by:
        visit = visit_of(member, watchlist, at, replace(span, leave_by=min(span.leave_by, at + run.visit_ms)), rng)
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


def _pending(delivery: Delivery) -> PendingEvent:
    raw = _as_posted(delivery.event)
    if delivery.corruption is not None:
        raw, _ = corrupt_json(raw, delivery.corruption)
    return PendingEvent(delivery.event.event_id, family(delivery.event), delivery.clock_ahead_ms, raw)


def _as_posted(event: Event) -> dict[str, Any]:
    """The event's JSON object without nulls and without the fields that the request or the collector sets."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return {name: value for name, value in fields.items() if name not in STAMPED and value is not None}
