"""New and tighter rules hold at the door only: what Kafka holds was accepted under the rules of its day."""

import msgspec
import pytest

from schemas import avro
from schemas.batch import BatchDecoder
from schemas.client_events import event_from_client
from schemas.codec import encode
from schemas.errors import InvalidEvent
from schemas.events import DAY_MS, family
from schemas.framing import frame
from schemas.rules import DOOR_RULES
from tests.support.builders import EVENTS, T0, as_client, playback
from tests.support.rule_cases import ACCEPTED_BEFORE, DOOR_CASES, RuleCase


@pytest.mark.parametrize("copies", [1, 20], ids=["one by one", "in columns"])
@pytest.mark.parametrize("name", EVENTS)
def test_a_topic_written_under_the_old_rules_gives_no_new_dead_letter(name: str, copies: int) -> None:
    payloads = [frame(1, encode(EVENTS[each](**changes))) for each, changes in ACCEPTED_BEFORE if each == name] * copies

    decoded = BatchDecoder(lambda _: avro.schema(name)).decode(name, payloads)

    assert (decoded.invalid, len(decoded.frame)) == ([], len(payloads))


@pytest.mark.parametrize("case", DOOR_CASES, ids=lambda case: str(case.overrides))
def test_the_door_refuses_what_no_session_can_have_counted(case: RuleCase) -> None:
    event = EVENTS[case.family](**case.overrides)

    with pytest.raises(InvalidEvent) as caught:
        event_from_client(as_client(event), event.sent_at, event.received_at)

    assert (caught.value.field, caught.value.code) == (case.field, case.code)
    assert caught.value.reason.startswith(case.field)


def test_every_rule_of_the_door_has_a_case_that_breaks_it() -> None:
    events = [EVENTS[case.family](**case.overrides) for case in DOOR_CASES]
    rules = DOOR_RULES["playback"]
    assert [rule for rule in rules if not any(rule.violation(event) for event in events)] == []


def test_a_clock_that_was_set_back_during_a_session_costs_no_event() -> None:
    event = playback(session_started_at=T0 + DAY_MS, watched_ms=3_600_000, seq=9_000)
    stored = event_from_client(as_client(event), event.sent_at, event.received_at)
    assert stored == msgspec.structs.replace(event, start_time=event.event_time - 3_601_500)


def test_the_door_corrects_a_country_that_consumers_still_read() -> None:
    for given, kept in (("XX", "ZZ"), ("UK", "GB")):
        event = EVENTS["ui"](country=given)
        stored = event_from_client(as_client(event), event.sent_at, event.received_at)
        assert (family(stored), stored.country) == ("ui", kept)
