"""New and tighter rules hold at the door only: what Kafka holds was accepted under the rules of its day."""

import pytest

from schemas import avro
from schemas.batch import BatchDecoder
from schemas.client_events import event_from_client
from schemas.codec import encode
from schemas.events import family
from schemas.framing import frame
from tests.support.builders import EVENTS, as_client
from tests.support.rule_cases import PASSING

BEFORE = [
    *PASSING,
    ("ui", {"country": "XX"}),
    ("ui", {"country": "UK"}),
]
"""Events that were accepted under the rules of 0.1.0."""


@pytest.mark.parametrize("copies", [1, 20], ids=["one by one", "in columns"])
@pytest.mark.parametrize("name", EVENTS)
def test_a_topic_written_under_the_old_rules_gives_no_new_dead_letter(name: str, copies: int) -> None:
    payloads = [frame(1, encode(EVENTS[each](**changes))) for each, changes in BEFORE if each == name] * copies

    decoded = BatchDecoder(lambda _: avro.schema(name)).decode(name, payloads)

    assert (decoded.invalid, len(decoded.frame)) == ([], len(payloads))


def test_the_door_corrects_a_country_that_consumers_still_read() -> None:
    for given, kept in (("XX", "ZZ"), ("UK", "GB")):
        event = EVENTS["ui"](country=given)
        stored = event_from_client(as_client(event), event.sent_at, event.received_at)
        assert (family(stored), stored.country) == ("ui", kept)
