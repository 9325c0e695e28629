"""What real players sent to comparable systems, from the request to what a member sees.

Every event goes through the collector's validation, the history worker's fold (each event a separate batch, in both
orders) and the stores' rules.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from domain.history.continue_watching import continue_watching
from domain.history.reading import HistoryReader
from domain.history.viewing_record import newest_per_session
from producers.collector.validation import validate
from schemas.events import DAY_MS, Playback, ViewingRecord
from tests.support.builders import viewing_record
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.support.fake_metrics import FakeMetrics

GOLDEN = Path(__file__).parents[3] / "golden" / "field"
NOW = 1_796_000_000_000
TIMES = ("client_time", "session_started_at")
Request = dict[str, Any]


def case(name: str) -> list[Request]:
    requests: list[Request] = json.loads((GOLDEN / f"{name}.json").read_text())
    return requests


def sent_now(request: Request, fields: Sequence[str] = TIMES, by: int | None = None) -> Request:
    """The request with these times moved by as much as ``sent_at`` is, which becomes now."""
    moved = NOW - request["sent_at"] if by is None else by
    events = [event | {name: event[name] + moved for name in fields if name in event} for event in request["events"]]
    return {"sent_at": request["sent_at"] + moved, "events": events}


def accepted(request: Request) -> list[Playback]:
    validated = validate(json.dumps(request).encode(), NOW)
    assert validated.rejected == {}
    return [each.event for each in validated.accepted.values() if isinstance(each.event, Playback)]


async def history(events: Sequence[Playback], *others: ViewingRecord) -> dict[str, list[ViewingRecord]]:
    """By profile, newest first: the same whichever event arrives first."""
    both = [await _history(order, others) for order in (events, events[::-1])]
    assert both[0] == both[1]
    return both[0]


async def _history(events: Sequence[Playback], others: Sequence[ViewingRecord]) -> dict[str, list[ViewingRecord]]:
    live = FakeLiveVH()
    await live.write(others)
    for event in events:
        frame = pl.DataFrame([msgspec.structs.asdict(event)], infer_schema_length=None)
        await live.write(newest_per_session(frame).records)
    reader = HistoryReader(live, FakeCompressedVH(), FakeMetrics())
    return {profile: (await reader.page(profile, 50)).items for profile in live.rows}


@pytest.mark.parametrize(
    "last", [{}, {"event_type": "play_requested", "player_state": "starting", "seq": 0, "duration_ms": None}]
)
async def test_a_play_that_never_showed_a_picture_leaves_the_bookmark(last: dict[str, Any]) -> None:
    request = sent_now(case("play-without-a-picture")[0])
    if last:
        request["events"][1] |= last | {"error_fatal": False, "error_code": None}
    sessions = (await history(accepted(request)))["case-001"]
    assert len(sessions) == 2
    assert [(mark.title_id, mark.bookmark_ms) for mark in continue_watching(sessions)] == [("ml-50", 3_600_000)]


@pytest.mark.parametrize("profile", ["case-002a", "case-002b"])
async def test_a_stop_of_a_player_that_was_torn_down_leaves_the_bookmark(profile: str) -> None:
    sessions = (await history(accepted(sent_now(case("stop-without-a-position")[0]))))[profile]
    assert [mark.bookmark_ms for mark in continue_watching(sessions)] == [2_700_000]


async def test_a_device_whose_clock_is_years_behind_is_first_in_the_history() -> None:
    yesterday = viewing_record(profile_id="case-003a", session_started_at=NOW - DAY_MS)
    found = (await history(accepted(case("wrong-clocks")[0]), yesterday))["case-003a"]
    assert [record.title_id for record in found] == ["ml-2", "ml-50"]
    assert found[0].start_time == NOW - 60_000


async def test_a_clock_set_right_after_the_start_makes_no_session_of_years() -> None:
    (event,) = accepted(sent_now(case("wrong-clocks")[1], ["client_time"]))
    assert (event.event_time, event.start_time) == (NOW, NOW - 50_900)


def test_a_clock_three_days_ahead_may_send_every_event() -> None:
    request = case("wrong-clocks")[2]
    (event,) = accepted(sent_now(request, by=NOW + 3 * DAY_MS - request["sent_at"]))
    assert (event.event_time, event.start_time) == (NOW - 1_000, NOW - 60_000)


async def test_live_streams_are_accepted_and_never_resumed() -> None:
    sessions = (await history(accepted(sent_now(case("live-timelines")[0]))))["case-004"]
    assert {record.title_id for record in sessions} == {"channel-1", "channel-2"}
    assert continue_watching(sessions) == []
