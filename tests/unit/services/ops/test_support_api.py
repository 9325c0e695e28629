from typing import Any

import pytest

from domain.support.updates import Received
from services.ops.support import outcome
from tests.support.builders import SESSION, T0, member_error, session_report, viewing_record
from tests.unit.services.conftest import Services

PATH = "/v1/profiles/ml-1/support"
MINUTE = 60_000
FAILED: dict[str, Any] = {
    "event_type": "error",
    "error_fatal": True,
    "error_code": "DRM_6001",
    "player_state": "stopped",
}


async def view(services: Services, **parameters: int) -> Any:
    answer = await services.client.get(PATH, params=parameters)
    assert answer.status_code == 200
    return answer.json()


async def test_a_session_comes_with_its_outcome_its_errors_and_what_reached_us(services: Services) -> None:
    services.evening.support.add_report(session_report(received=Received(3, 4), **FAILED))
    services.evening.support.add_error(member_error())
    body = await view(services)
    (session,) = body["sessions"]
    assert (session["playback_session_id"], session["outcome"]) == (SESSION, "failed")
    assert session["quality"]["startup_time_ms"] == 1500
    assert session["error"] == {"code": "DRM_6001", "fatal": True}
    assert session["events"] == {
        "received": 3,
        "missing": 1,
        "complete": False,
        "last_received_at": "2023-11-14T22:14:20.200Z",
        "late_by_ms": None,
    }
    assert session["errors"] == [
        {
            "event_id": "018bcfe5-6800-7000-8000-00000000e001",
            "at": "2023-11-14T22:14:20.100Z",
            "code": "DRM_6001",
            "message": "No licence within 10 s",
            "fatal": True,
            "component": "drm",
            "playback_session_id": SESSION,
            "device_id": "device-1",
            "device_type": "tv",
            "app_name": "living-room",
            "app_version": "1.0.0",
            "country": "NL",
        }
    ]
    assert body["errors"] == []
    assert body["devices"] == [
        {
            "id": "device-1",
            "type": "tv",
            "app_version": "1.0.0",
            "last_seen_at": "2023-11-14T22:14:20.100Z",
            "sessions": 1,
            "failed": 1,
        }
    ]


async def test_errors_of_no_session_that_is_shown_stand_by_themselves_newest_first(services: Services) -> None:
    for number, session in ((1, None), (2, "018bcfe5-6800-7000-8000-000000000099"), (3, None)):
        name = f"018bcfe5-6800-7000-8000-{number:012d}"
        services.evening.support.add_error(
            member_error(event_id=name, client_time=T0 + number, event_time=T0 + number, playback_session_id=session)
        )
    assert [error["event_id"][-1] for error in (await view(services))["errors"]] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("received", "seq", "expected"),
    [(Received(4, 4), 3, (0, True)), (Received(3, 4), 3, (1, False)), (Received(4, 4), 9, (0, False))],
    ids=["all", "a gap", "what came after the count"],
)
async def test_data_are_complete_when_all_was_counted_and_nothing_is_missing(
    services: Services, received: Received, seq: int, expected: tuple[int, bool]
) -> None:
    services.evening.support.add_report(session_report(received=received, seq=seq, event_type="ended"))
    (session,) = (await view(services))["sessions"]
    assert (session["events"]["missing"], session["events"]["complete"]) == expected


async def test_what_was_watched_offline_says_how_late_it_came_and_that_nobody_counted(services: Services) -> None:
    late = session_report(received=None, event_type="ended", event_time=T0, received_at=T0 + 120 * MINUTE)
    services.evening.support.add_report(late)
    (session,) = (await view(services))["sessions"]
    assert session["events"]["late_by_ms"] == 120 * MINUTE
    assert (session["events"]["received"], session["events"]["complete"]) == (None, False)


async def test_devices_are_told_apart_by_version_the_one_seen_last_first(services: Services) -> None:
    for number, (version, changes) in enumerate((("2.0", FAILED), ("2.0", {}), ("1.0", {}))):
        at = T0 - number * MINUTE
        services.evening.support.add_report(
            session_report(number=number, session_started_at=at, event_time=at, app_version=version, **changes)
        )
    devices = (await view(services))["devices"]
    assert [(one["app_version"], one["sessions"], one["failed"]) for one in devices] == [("2.0", 2, 1), ("1.0", 1, 0)]


async def test_a_member_of_whom_nothing_is_known_is_no_error(services: Services) -> None:
    assert await view(services) == {"sessions": [], "errors": [], "devices": []}


async def test_while_cassandra_is_away_it_says_so(services: Services) -> None:
    services.evening.away.add("cassandra")
    assert (await services.client.get(PATH)).status_code == 503


@pytest.mark.parametrize(
    ("changes", "heard_ms_ago", "expected"),
    [
        ({}, 12 * MINUTE, "open"),
        ({}, 12 * MINUTE + 1, "silent"),
        (FAILED, 0, "failed"),
        ({"event_type": "ended"}, 0, "ended"),
        ({"event_type": "stopped"}, 99 * MINUTE, "stopped"),
        ({"event_type": "stopped", "startup_time_ms": None}, 0, "exited_before_start"),
        ({"event_type": "error", "error_code": "drm"}, 0, "open"),
    ],
)
def test_how_a_session_ended(changes: dict[str, Any], heard_ms_ago: int, expected: str) -> None:
    record = viewing_record(received_at=T0, **changes)
    assert outcome(record, T0 + heard_ms_ago) == expected
