"""How soon an accepted event appears in the history API, at a steady rate through the collector."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx
import msgspec

from bench.load import playback_events
from domain.clock import system_clock
from infra.runtime.local_tokens import staff_header
from infra.runtime.settings import LOCAL_KEY, Settings
from schemas.events import Playback

EVENTS_A_REQUEST = 20
SAMPLED = 10
"""One request in this many is followed until its last event is visible."""
POLL_S = 0.05
GIVE_UP_S = 30.0
STAMPED = ("sent_at", "received_at", "event_time")


@dataclass
class Visibility:
    accepted: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    """From the collector's answer to the first read that shows the event; infinite if none did."""


async def measure(settings: Settings, rate: int, seconds: float, viewers: Sequence[str]) -> Visibility:
    """Sends requests on time, whether or not earlier ones have been answered."""
    seen = Visibility()
    events = playback_events(int(rate * seconds), viewers, start=system_clock() - 3_600_000)
    # Drop idle connections before the server does so in the middle of a request.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=1.0)
    reader = staff_header(settings, "support")
    async with httpx.AsyncClient(limits=limits, timeout=GIVE_UP_S) as client, asyncio.TaskGroup() as tasks:
        started = time.perf_counter()
        for number, request in enumerate(_requests(events)):
            await asyncio.sleep(max(0.0, started + number * EVENTS_A_REQUEST / rate - time.perf_counter()))
            tasks.create_task(_send(client, settings, request, reader if number % SAMPLED == 0 else None, seen))
    return seen


def _requests(events: Iterator[Playback]) -> Iterator[list[Playback]]:
    while request := list(islice(events, EVENTS_A_REQUEST)):
        yield request


async def _send(
    client: httpx.AsyncClient,
    settings: Settings,
    events: list[Playback],
    reader: Mapping[str, str] | None,
    seen: Visibility,
) -> None:
    """``reader``: the header with which the last event is looked for; None: it is not."""
    answer = await client.post(
        f"{settings.collector_url}/v1/events",
        json={"sent_at": system_clock(), "events": [_as_client(event) for event in events]},
        headers={"Authorization": f"Bearer {LOCAL_KEY}"},
    )
    accepted_at = time.perf_counter()
    accepted = answer.json().get("accepted", 0)
    seen.accepted += accepted
    seen.refused += len(events) - accepted
    if reader and accepted == len(events):
        seen.seconds.append(await _until_visible(client, settings, events[-1], reader, accepted_at))


async def _until_visible(
    client: httpx.AsyncClient, settings: Settings, event: Playback, reader: Mapping[str, str], since: float
) -> float:
    address = f"{settings.history_url}/v1/profiles/{event.profile_id}/viewing-history"
    while time.perf_counter() - since < GIVE_UP_S:
        items = (await client.get(address, params={"limit": 1}, headers=reader)).json()["items"]
        if items and _shows(items[0], event):
            return time.perf_counter() - since
        await asyncio.sleep(POLL_S)
    return float("inf")


def _shows(item: dict[str, Any], event: Playback) -> bool:
    """Whether the item shows the event, or a newer one of its session."""
    return item["playback_session_id"] == event.playback_session_id and bool(item["watched_ms"] >= event.watched_ms)


def _as_client(event: Playback) -> dict[str, Any]:
    fields = msgspec.structs.asdict(event)
    return {"family": "playback"} | {n: v for n, v in fields.items() if n not in STAMPED and v is not None}
