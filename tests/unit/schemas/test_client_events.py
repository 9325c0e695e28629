import json
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings

from schemas.client_clock import LONGEST_WAIT_MS
from schemas.client_events import event_from_client
from schemas.countries import COUNTRIES, country_of
from schemas.errors import InvalidEvent
from schemas.events import YEAR_2100, Event, Playback, family
from tests.support.builders import EVENTS, T0, as_client, playback
from tests.support.rule_cases import JSON_CASES, PASSING, RULE_CASES, JsonCase, RuleCase
from tests.support.strategies import events

SENT, RECEIVED = T0 + 60_100, T0 + 60_200


def refused(raw: dict[str, Any]) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as caught:
        event_from_client(raw, SENT, RECEIVED)
    return caught.value


def without_start(event: Event) -> Event:
    """Without the corrected start, which tests/unit/schemas/test_client_clock.py is about."""
    return msgspec.structs.replace(event, start_time=None) if isinstance(event, Playback) else event


@pytest.mark.parametrize(("family", "overrides"), PASSING)
def test_a_good_event_is_stamped(family: str, overrides: dict[str, Any]) -> None:
    event = EVENTS[family](**overrides)
    assert without_start(event_from_client(as_client(event), SENT, RECEIVED)) == event


@pytest.mark.parametrize("case", [case for case in RULE_CASES if case.over_http], ids=str)
def test_each_rule_is_kept(case: RuleCase) -> None:
    error = refused(as_client(EVENTS[case.family](**case.overrides)))
    assert (error.field, error.code) == (case.field, case.code)


@pytest.mark.parametrize("case", JSON_CASES, ids=str)
def test_what_does_not_fit_the_schema_is_refused(case: JsonCase) -> None:
    raw = as_client(EVENTS[case.family]()) | case.change
    error = refused({name: value for name, value in raw.items() if value is not ...})
    assert (error.field, error.code) == (case.field, case.code)
    assert error.reason.startswith(case.field)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seq": "3"}, "seq has the wrong type: expected `int`, got `str`."),
        ({"playhead": 5}, "playhead is not a field of a playback event; leave it out."),
        (
            {"title_class": "movie"},
            "title_class is 'movie'; it must be one of unknown, film, episode, live, trailer.",
        ),
        (
            {"family": "film"},
            "family is 'film'; it must be one of ui, playback, error, diagnostic, processing, performance.",
        ),
        ({"sent_at": T0}, "sent_at is not for the client to set in an event; leave it out."),
        (
            {"session_started_at": 1_700_000_000},
            "session_started_at is 1700000000, which is a time in seconds; send milliseconds since 1970: "
            "1700000000000.",
        ),
    ],
)
def test_the_reason_tells_a_client_engineer_what_to_fix(change: dict[str, Any], reason: str) -> None:
    assert refused(as_client(playback()) | change).reason == reason


def test_event_time_is_client_time_corrected_by_the_offset_of_the_clock() -> None:
    hour = 3_600_000
    event = event_from_client(as_client(playback(client_time=SENT - hour - 5)), SENT - hour, RECEIVED)
    assert event.client_time == SENT - hour - 5
    assert event.sent_at == SENT - hour
    assert event.event_time == RECEIVED - 5


def test_event_time_is_never_after_receipt() -> None:
    event = event_from_client(as_client(playback(client_time=SENT + 500)), SENT, RECEIVED)
    assert event.event_time == RECEIVED


def test_an_event_from_a_clock_that_was_set_while_it_waited_is_as_of_its_receipt() -> None:
    assert event_from_client(as_client(playback(client_time=1)), YEAR_2100, RECEIVED).event_time == RECEIVED


@pytest.mark.parametrize("text", ["\ud800", "living\udfff-room"])
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    error = refused(as_client(playback()) | {"app_name": text})
    assert (error.field, error.code) == ("app_name", "bad_format")


@pytest.mark.parametrize("written", ["658000.0", "6.58E5"])
def test_a_whole_number_is_an_integer_however_it_is_written(written: str) -> None:
    event = event_from_client(as_client(playback()) | {"playhead_ms": json.loads(written), "seq": 7.0}, SENT, RECEIVED)
    assert without_start(event) == playback(playhead_ms=658_000, seq=7)
    assert isinstance(event, Playback)
    assert (type(event.playhead_ms), type(event.seq)) == (int, int)


@pytest.mark.parametrize("value", [1.5, 1e30, float("inf"), float("nan"), True, "7"])
def test_what_is_not_a_whole_number_is_no_integer(value: object) -> None:
    error = refused(as_client(playback()) | {"playhead_ms": value})
    assert (error.field, error.code) == ("playhead_ms", "wrong_type")


def test_rules_about_a_field_that_could_not_be_read_are_skipped() -> None:
    error = refused(as_client(playback()) | {"duration_ms": "long", "playhead_ms": 7_000_000, "client_time": None})
    assert [(each.field, each.code) for each in (error, *error.others)] == [
        ("client_time", "wrong_type"),
        ("duration_ms", "wrong_type"),
    ]


def test_every_country_in_use_is_kept() -> None:
    assert len(COUNTRIES) == 250
    assert all(country_of(code) == code == country_of(code.lower()) for code in COUNTRIES)


@settings(max_examples=30)
@given(events())
def test_what_a_client_sends_as_json_is_what_is_kept(event: Event) -> None:
    event = msgspec.structs.replace(event, received_at=max(event.received_at, RECEIVED))  # later than times near 0
    if isinstance(event, Playback):  # counters that the session's length allows
        counters = ("seq", "watched_ms", "paused_ms", "rebuffer_ms", "rebuffer_count", "seek_count")
        event = msgspec.structs.replace(event, startup_time_ms=0, **dict.fromkeys(counters, 0))
    raw = msgspec.json.decode(msgspec.json.encode(as_client(event)))
    assert raw["family"] == family(event)
    times = [event.client_time, event.session_started_at] if isinstance(event, Playback) else [event.client_time]
    assume(all(abs(time * 1000 - event.received_at) > LONGEST_WAIT_MS for time in times))  # no seconds
    # An event at its client's own time of sending, from a clock that is right.
    kept = event_from_client(raw, event.client_time, event.received_at)
    expected = msgspec.structs.replace(event, sent_at=event.client_time, event_time=event.received_at)
    assert without_start(kept) == without_start(expected)
