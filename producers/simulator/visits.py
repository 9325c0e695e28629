"""A member's visits: each is browsing and one or two plays."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from zoneinfo import ZoneInfo

from producers.simulator.audience import Member
from producers.simulator.browsing import browse
from producers.simulator.catalogue import MINUTE_MS
from producers.simulator.devices import HOUR_MS, Device
from producers.simulator.identity import Viewer
from producers.simulator.schedule import days, starts
from producers.simulator.telemetry import about_session, job, start_of_app
from producers.simulator.viewer import FOREVER, HEARTBEAT_MS, Viewing, watch
from producers.simulator.watchlist import Choice, Watchlist
from schemas.events import Event, Playback

_JOBS_EVERY_MS = 8 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Visit:
    began_at: int
    """True time, ms; no event of the visit is older."""
    clock_ahead_ms: int
    """Subtract it from the events' times to get true time."""
    events: Sequence[Event]
    """In the order in which they happened, by the device's clock."""
    loses: float = 0.0
    """Share of them that the device never sends."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time range in ms. ``leave_by`` and a shorter heartbeat are for real-time visits."""

    since: int
    until: int
    leave_by: int = FOREVER
    heartbeat_ms: int = HEARTBEAT_MS


def visits(members: Sequence[Member], span: Span, seed: int) -> Iterator[Visit]:
    """All members' visits that begin in the span, and our own machines' jobs, ordered by start."""
    streams = [visits_of(member, span, seed) for member in members]
    return heapq.merge(*streams, jobs(members, span, seed), key=lambda visit: visit.began_at)


def visits_of(member: Member, span: Span, seed: int) -> Iterator[Visit]:
    """One member's visits, which never overlap."""
    rng = Random(f"{seed}/life/{member.profile_id}")
    watchlist = Watchlist(member.tastes, rng)
    zone = ZoneInfo(member.place.zone)
    free_from = span.since
    for day in days(span.since, span.until, zone):
        for at in starts(zone, day, member.visits_per_day, rng):
            if free_from <= at < span.until:
                visit = visit_of(member, watchlist, at, span, rng)
                free_from = visit.events[-1].client_time - visit.clock_ahead_ms + MINUTE_MS
                yield visit


def visit_of(member: Member, watchlist: Watchlist, at: int, span: Span, rng: Random) -> Visit:
    """One visit that begins at ``at``. A play that fails, or is abandoned before it starts, is retried (60 %)."""
    viewer = Viewer(member.profile_id, member.account_id, member.place.country, _pick(member.devices, rng))
    ahead = viewer.device.clock_ahead_ms
    choice = watchlist.choose()
    opened = start_of_app(viewer, at + ahead, rng)
    clicks = browse(viewer, choice, watchlist.sample(rng.randint(2, 5)), at + ahead, rng)
    events: list[Event] = [*opened, *clicks]
    begins, recommendation = clicks[-1].client_time, clicks[-1].recommendation_id
    while True:
        session = list(watch(_viewing(viewer, choice, begins, recommendation, span), rng))
        events += sorted([*session, *about_session(viewer, session, rng)], key=lambda event: event.client_time)
        last = session[-1]
        if _seen_something(last) or rng.random() < 0.4 or last.client_time - ahead >= span.leave_by:
            break
        begins = last.client_time + rng.randint(3_000, 30_000)
    watchlist.put_back(choice, session[-1].playhead_ms)
    return Visit(at, ahead, events, viewer.device.loses)


def _viewing(viewer: Viewer, choice: Choice, begins: int, recommendation: str | None, span: Span) -> Viewing:
    return Viewing(
        viewer=viewer,
        title=choice.taste.title,
        started_at=begins,
        from_ms=choice.from_ms,
        to_ms=choice.to_ms,
        leave_at=span.leave_by + viewer.device.clock_ahead_ms,
        heartbeat_ms=span.heartbeat_ms,
        recommendation_id=recommendation,
    )


def _seen_something(last: Playback) -> bool:
    return last.startup_time_ms is not None and not last.error_fatal


def _pick(devices: Sequence[Device], rng: Random) -> Device:
    """The first device (the television, if there is one) two times out of three."""
    return devices[0] if rng.random() < 2 / 3 else devices[-1]


def jobs(members: Sequence[Member], span: Span, seed: int) -> Iterator[Visit]:
    """What our own machines report: every 8 hours one of the watched titles is processed."""
    titles = sorted({taste.title for member in members for taste in member.tastes}, key=lambda title: title.title_id)
    rng = Random(f"{seed}/jobs")
    for at in range(span.since, span.until, _JOBS_EVERY_MS):
        yield Visit(at, 0, list(job(rng.choice(titles), at, rng)))
