"""A session is over when it says so or has been silent for long."""

from domain.history.rollup import RollUpRules, is_closed, select_records
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record

HOUR_MS = 3_600_000


def test_a_session_that_just_spoke_is_open() -> None:
    assert not is_closed(viewing_record(received_at=T0), now=T0 + HOUR_MS, timeout_ms=HOUR_MS)


def test_a_session_silent_for_longer_than_the_timeout_is_closed() -> None:
    assert is_closed(viewing_record(received_at=T0), now=T0 + HOUR_MS + 1, timeout_ms=HOUR_MS)


def test_a_stop_closes_at_once() -> None:
    assert is_closed(viewing_record(event_type="stopped"), now=T0, timeout_ms=HOUR_MS)


def test_the_end_closes_at_once() -> None:
    assert is_closed(viewing_record(event_type="ended"), now=T0, timeout_ms=HOUR_MS)


def test_a_fatal_error_closes_at_once() -> None:
    assert is_closed(viewing_record(event_type="error", error_fatal=True), now=T0, timeout_ms=HOUR_MS)


def test_an_error_that_was_survived_does_not_close() -> None:
    assert not is_closed(viewing_record(event_type="error", error_code="x", received_at=T0), T0, HOUR_MS)


def sessions(count: int, event_type: str = "heartbeat") -> list[ViewingRecord]:
    return [
        viewing_record(
            playback_session_id=f"018bcfe5-6800-7000-8000-{number:012d}",
            session_started_at=T0 + number,
            received_at=T0,
            event_type=event_type,
        )
        for number in range(count)
    ]


def test_open_sessions_stay_until_there_are_too_many_and_then_the_oldest_go() -> None:
    rules = RollUpRules(keep_live=2, max_live=5)
    assert select_records(sessions(5), T0, rules) == []
    assert select_records(sessions(8), T0, rules) == sessions(8)[:3]


def test_closed_sessions_go_before_there_are_too_many() -> None:
    rules = RollUpRules(keep_live=2, max_live=5)
    assert select_records(sessions(5, "stopped"), T0, rules) == sessions(5, "stopped")[:3]
    assert select_records(sessions(8, "stopped"), T0, rules) == sessions(8, "stopped")[:6]


def test_none_need_stay() -> None:
    rules = RollUpRules(keep_live=0, max_live=5)
    assert select_records(sessions(5, "stopped"), T0, rules) == sessions(5, "stopped")


def test_as_many_stay_as_shall_even_beyond_the_bound() -> None:
    rules = RollUpRules(keep_live=4, max_live=1)
    assert select_records(sessions(6), T0, rules) == sessions(6)[:2]
    assert rules.part == 8


def test_of_a_part_with_a_part_of_newer_ones_all_go() -> None:
    assert select_records(sessions(3), T0, RollUpRules(), newest=False) == sessions(3)
