"""A session is over when it says so or has been silent for long."""

from domain.history.rollup import is_closed
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
