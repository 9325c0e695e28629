"""Live viewers send what the collector takes, when it is due, by their own clocks."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from producers.client.sender import Reply, Sender
from producers.simulator.client_log import ClientLog
from producers.simulator.devices import BadRelease
from producers.simulator.live import Run, play_schedule, schedules
from producers.simulator.network import Delivery, Faults
from producers.simulator.synthetic import members
from schemas.client_events import event_from_client
from schemas.errors import InvalidEvent
from schemas.events import Playback

NOW = 1_790_000_000_000
HOUR_MS = 3_600_000
RUN = Run(NOW, seconds=120, heartbeat_ms=2_000, seed=1, faults=Faults(0.2, 0.02, 0.02, 0.02, 0.01))
END = RUN.span.until
CALM = replace(RUN, faults=Faults(0, 0, 0, 0, 0))


class Collector:
    """Judges events as the real one does."""

    def __init__(self) -> None:
        self.accepted: list[Any] = []

    async def __call__(self, body: bytes) -> Reply:
        request = json.loads(body)
        rejected = []
        for index, raw in enumerate(request["events"]):
            try:
                self.accepted.append(event_from_client(raw, request["sent_at"], END))
            except InvalidEvent as problem:
                rejected.append({"index": index, "field": problem.field, "code": problem.code})
        return Reply(202, {"rejected": rejected}, 0)


async def attend_all(tmp_path: Path, collector: Collector, stop: asyncio.Event) -> Counter[Any]:
    with ClientLog(tmp_path / "live.jsonl") as log:
        sender = Sender(collector, log.note, lambda: END, asyncio.Event())
        for schedule in schedules(members(20, seed=1), RUN):
            await play_schedule(schedule, sender, lambda: END, stop)
    return sender.tally


async def test_exactly_the_corrupt_events_are_refused(tmp_path: Path) -> None:
    collector = Collector()
    tally = await attend_all(tmp_path, collector, asyncio.Event())
    deliveries = [delivery for schedule in schedules(members(20, seed=1), RUN) for delivery in schedule]
    corrupt = sum(delivery.corruption is not None for delivery in deliveries)
    assert corrupt > 20
    assert tally == {"sent": len(deliveries), "accepted": len(deliveries) - corrupt, "refused": corrupt}


async def test_viewers_leave_when_the_run_ends() -> None:
    last: dict[str, Playback] = {}
    for schedule in schedules(members(20, seed=1), RUN):
        for delivery in schedule:
            if isinstance(event := delivery.event, Playback):
                last[event.playback_session_id] = max(last.get(event.playback_session_id, event), event, key=by_seq)
    stopped = sum(event.player_state == "stopped" for event in last.values())
    assert stopped / len(last) > 0.85  # a stop can be lost, corrupt, or held up beyond the end


def plays(run: Run) -> dict[str, list[Playback]]:
    """What arrives of each session."""
    found: dict[str, list[Playback]] = {}
    for schedule in schedules(members(40, seed=1), run):
        for delivery in schedule:
            if isinstance(event := delivery.event, Playback):
                found.setdefault(event.playback_session_id, []).append(event)
    return found


def test_viewers_who_leave_sooner_come_again() -> None:
    patient, restless = plays(CALM), plays(replace(CALM, visit_ms=20_000))
    assert len(restless) > 2 * len(patient)
    shown = [events[-1] for events in restless.values() if events[-1].startup_time_ms is not None]
    assert max(event.watched_ms for event in shown) <= 20_000


def test_a_release_that_fails_fails_on_its_device_alone() -> None:
    found = plays(replace(CALM, visit_ms=20_000, bad_release=BadRelease.parse("tv/9.4.0:fails=1")))
    ends = [one[-1] for one in found.values() if one[-1].player_state == "stopped"]
    bad = [end.error_fatal for end in ends if end.app_version == "9.4.0"]
    good = [end.error_fatal for end in ends if end.app_version != "9.4.0"]
    assert len(bad) > 20
    assert all(bad)
    assert sum(good) < len(good) / 10


def test_a_release_that_loses_events_leaves_gaps_on_its_device_alone() -> None:
    gaps: Counter[bool] = Counter()
    for one in plays(replace(CALM, bad_release=BadRelease.parse("tv/9.4.0:loses=0.2"))).values():
        gaps[one[0].app_version == "9.4.0"] += max(map(by_seq, one)) + 1 - len(one)
    assert gaps[True] > 20
    assert gaps[False] == 0


@pytest.mark.parametrize(
    "wrong", ["tv", "tv/9.4.0", "tv/9.4.0:fails=2", "tv/9.4.0:stinks=1", "tv:fails=1", "a/b:fails=x"]
)
def test_a_malformed_bad_release_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="invalid --bad-release"):
        BadRelease.parse(wrong)


async def test_some_come_back_from_watching_offline_hours_ago(tmp_path: Path) -> None:
    collector = Collector()
    await attend_all(tmp_path, collector, asyncio.Event())
    late = [event for event in collector.accepted if event.received_at - event.event_time > HOUR_MS]
    assert len({event.profile_id for event in late}) == 4  # a fifth of 20
    assert len(late) > 50


def test_scripts_are_in_order_and_within_the_run() -> None:
    for schedule in schedules(members(5, seed=1), RUN):
        deliveries: list[Delivery] = list(schedule)
        assert all(a.received_at <= b.received_at for a, b in pairwise(deliveries))
        assert all(delivery.received_at <= END for delivery in deliveries)


async def test_a_stopped_viewer_sends_nothing_more(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await attend_all(tmp_path, Collector(), stop) == {}


async def test_nothing_is_sent_before_it_is_due(tmp_path: Path) -> None:
    collector, stop = Collector(), asyncio.Event()
    with ClientLog(tmp_path / "live.jsonl") as log:
        sender = Sender(collector, log.note, lambda: NOW - HOUR_MS, asyncio.Event())
        viewer = asyncio.create_task(
            play_schedule(schedules(members(1, seed=1), RUN)[0], sender, lambda: NOW - HOUR_MS, stop)
        )
        await asyncio.sleep(0.01)
        early = len(collector.accepted)
        stop.set()
        await viewer
    assert all(event.client_time < NOW - HOUR_MS for event in collector.accepted[:early])


def by_seq(event: Playback) -> int:
    return event.seq
