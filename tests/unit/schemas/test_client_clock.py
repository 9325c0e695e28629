"""A client's clock may be wrong by years, and may be set at any moment."""

import pytest

from schemas import client_clock
from schemas.client_events import event_from_client
from schemas.errors import InvalidEvent
from schemas.events import DAY_MS, Playback
from tests.support.builders import T0, as_client, playback, viewing_record

HOUR = 3_600_000
NOW = T0 + 1_000 * DAY_MS


def received(client_time: int, session_started_at: int, sent_at: int, **changes: object) -> Playback:
    raw = as_client(playback(client_time=client_time, session_started_at=session_started_at, **changes))
    event = event_from_client(raw, sent_at, NOW)
    assert isinstance(event, Playback)
    return event


@pytest.mark.parametrize("clock", [60_000, T0, NOW - 5 * HOUR, NOW, NOW + 3 * DAY_MS])
def test_a_session_began_as_long_ago_as_its_own_clock_says(clock: int) -> None:
    event = received(clock, clock - 59_000, clock)
    assert (event.event_time, event.start_time) == (NOW, NOW - 59_000)
    assert event.session_started_at == clock - 59_000


def test_a_clock_that_was_set_right_since_the_start_leaves_the_counters_to_decide() -> None:
    event = received(NOW, T0, NOW, watched_ms=50_000, paused_ms=7_000, startup_time_ms=900)
    assert event.start_time == NOW - 57_900


def test_a_clock_that_was_set_back_since_the_start_leaves_the_counters_to_decide() -> None:
    back = NOW - 30 * DAY_MS
    assert received(back, NOW - 100_000, back, watched_ms=58_000).start_time == NOW - 59_500


def test_an_event_from_before_the_clock_was_set_is_as_of_its_receipt() -> None:
    event = received(T0, T0 - 60_000, NOW)
    assert (event.event_time, event.start_time) == (NOW, NOW - 60_000)


def test_an_event_may_wait_for_months_offline() -> None:
    event = received(NOW - 90 * DAY_MS, NOW - 90 * DAY_MS - 60_000, NOW)
    assert (event.event_time, event.start_time) == (NOW - 90 * DAY_MS, NOW - 90 * DAY_MS - 60_000)


@pytest.mark.parametrize("field", ["client_time", "session_started_at"])
def test_seconds_for_milliseconds_are_refused_with_a_hint(field: str) -> None:
    times = {"client_time": NOW, "session_started_at": NOW - 60_000, "sent_at": NOW}
    with pytest.raises(InvalidEvent, match="send milliseconds") as caught:
        received(**times | {field: times[field] // 1000})
    assert (caught.value.field, caught.value.code) == (field, "out_of_range")


@pytest.mark.parametrize("uptime_days", [0.06, 20.5, 20.7, 21, 400])
def test_a_clock_that_counts_from_1970_is_no_time_in_seconds(uptime_days: float) -> None:
    """20.676 days are as many milliseconds as NOW has seconds."""
    clock = int(uptime_days * DAY_MS)
    client_clock.check_milliseconds("sent_at", clock, NOW, within=DAY_MS)
    event = received(clock, clock - 60_000, clock)
    assert (event.event_time, event.start_time) == (NOW, NOW - 60_000)


def test_a_request_in_seconds_is_refused_with_a_hint() -> None:
    with pytest.raises(InvalidEvent, match=f"send milliseconds since 1970: {NOW}"):
        client_clock.check_milliseconds("sent_at", NOW // 1000, NOW, within=DAY_MS)


@pytest.mark.parametrize("field", ["client_time", "session_started_at"])
def test_seconds_are_found_whatever_the_clock_says(field: str) -> None:
    clock = NOW - 3_000 * DAY_MS
    times = {"client_time": clock, "session_started_at": clock - 60_000, "sent_at": clock}
    with pytest.raises(InvalidEvent, match="send milliseconds"):
        received(**times | {field: times[field] // 1000})


@pytest.mark.parametrize("delay", [0, 700, HOUR])
@pytest.mark.parametrize("wrong_by", [0, -5 * HOUR, 3 * DAY_MS, -2_000 * DAY_MS])
def test_a_lists_order_does_not_move_with_a_request(wrong_by: int, delay: int) -> None:
    """The corrected start is late by the way of its request; the place in lists is not."""
    began, clock = T0, T0 + wrong_by
    at_once, later = (
        viewing_record(session_started_at=clock, start_time=began + late).listed_at for late in (0, delay)
    )
    assert at_once == later
    assert abs(at_once - began) <= DAY_MS // 2


def test_a_session_keeps_its_place_when_the_clock_is_set_back_by_days() -> None:
    before = viewing_record(session_started_at=T0, start_time=T0 + 80)
    after = viewing_record(seq=9, session_started_at=T0 - 30 * DAY_MS, start_time=T0 + 900)
    assert after.listed_at == before.listed_at
    assert after.write_timestamp > before.write_timestamp
