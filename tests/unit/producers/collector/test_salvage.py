"""A bad event costs itself: the others of its request are stored, and its own bytes become a dead letter."""

import json

import pytest

from producers.collector.examples import SENT_AT
from producers.collector.salvage import decoded, salvaged
from tests.unit.producers.collector.conftest import Collector, event

GOOD = json.dumps(event()).encode()
SEARCH = GOOD.replace(b'"click"', b'"search"').replace(b'"row": 0', b'"query": "star wars %b", "row": 0')
CASES = [
    pytest.param(SEARCH % rb"\ud83d", "bad_format", "query", id="the first half of an emoji"),
    pytest.param(SEARCH % rb"\ude00", "bad_format", "query", id="the second half"),
    pytest.param(SEARCH % b"\xff", "bad_format", "query", id="a byte that is not UTF-8"),
    pytest.param(SEARCH % b"\xed\xa0\xbd", "bad_format", "query", id="a surrogate in UTF-8"),
    pytest.param(SEARCH % b"\n", "malformed", None, id="a bare line break"),
    pytest.param(GOOD.replace(b'"home"', rb'"\ud83d"'), "bad_format", "page", id="another field"),
    pytest.param(GOOD.replace(b'"page"', rb'"page\udfff"'), "unknown_field", rb"page\udfff".decode(), id="a name"),
    pytest.param(GOOD.replace(b'"tv"', rb'"tv\ud83d"'), "bad_format", "device_type", id="a symbol"),
    pytest.param(GOOD.replace(b'"ui"', rb'"ui\ud83d"'), "unknown_family", "family", id="a family"),
    pytest.param(GOOD.replace(b'"row": 0', b'"row": NaN'), "wrong_type", "row", id="NaN"),
    pytest.param(GOOD.replace(b'"row": 0', b'"row": ' + b"9" * 5000), "malformed", None, id="a giant number"),
    pytest.param(b"[" * 5000, "malformed", None, id="nested without end"),
    pytest.param(b'{"fields": ' + b"[" * 5000 + b"]" * 5000 + b"}", "malformed", None, id="nested deeply"),
    pytest.param(GOOD + b"}", "malformed", None, id="a brace too many"),
    pytest.param(GOOD[:-1], "malformed", None, id="a brace too few"),
    pytest.param(GOOD[:-1] + b', "fields": [1}', "malformed", None, id="a bracket too few"),
    pytest.param(GOOD[:-1] + b', "fields": {"a": 1]}', "malformed", None, id="the wrong bracket"),
    pytest.param(GOOD[:-2], "malformed", None, id="a text without end"),
    pytest.param(GOOD.replace(b"{", b"{'"), "malformed", None, id="quotes of JavaScript"),
    pytest.param(b"", "malformed", None, id="nothing between two commas"),
    pytest.param(b"undefined", "malformed", None, id="undefined"),
]


@pytest.mark.parametrize("place", [0, 1, 4])
@pytest.mark.parametrize(("bad", "code", "field"), CASES)
async def test_a_bad_event_costs_itself_wherever_it_is(
    collector: Collector, bad: bytes, code: str, field: str | None, place: int
) -> None:
    events = [GOOD] * 4
    events.insert(place, bad)
    answer = await collector.post(content=b'{"sent_at": %d, "events": [%b]}' % (SENT_AT, b", ".join(events)))

    [rejected] = answer.json()["rejected"]
    [letter] = collector.dead_letters()
    assert (answer.status_code, answer.json()["accepted"]) == (202, 4)
    assert (rejected["index"], rejected["code"], rejected["field"]) == (place, code, field)
    assert letter.value == b'{"sent_at":%d,"events":[%b]}' % (SENT_AT, bad)


async def test_the_message_names_the_surrogate_and_the_field(collector: Collector) -> None:
    bad = SEARCH % rb"\ud83d"
    answer = await collector.post(content=b'{"sent_at": %d, "events": [%b]}' % (SENT_AT, bad))

    assert answer.status_code == 400
    assert answer.json()["rejected"][0]["message"] == (
        r"query holds \ud83d, which is half a surrogate pair or a byte that is not UTF-8; send whole Unicode in UTF-8."
    )


async def test_499_of_500_events_are_stored(collector: Collector) -> None:
    events = b",".join([GOOD] * 499 + [SEARCH % rb"\ud83d"])
    answer = await collector.post(content=b'{"sent_at": %d, "events": [%b]}' % (SENT_AT, events))

    assert (answer.status_code, answer.json()["accepted"]) == (202, 499)


async def test_more_than_500_events_are_too_many_here_too(collector: Collector) -> None:
    events = b",".join([GOOD] * 500 + [SEARCH % rb"\ud83d"])
    answer = await collector.post(content=b'{"sent_at": %d, "events": [%b]}' % (SENT_AT, events))

    assert answer.status_code == 413


def test_texts_that_look_like_the_start_of_an_event_stay_whole() -> None:
    texts = ['a, {"family": 1}', "a, {", ", {}, [", "]}", '\\", {"x":']
    events = [json.dumps({"query": text, "seq": 1}).encode() for text in texts]
    found = salvaged(b'{"events" : [%b], "sent_at":7.0 }' % b" , ".join([*events, b"{]", *events]))

    assert found is not None
    assert (found.sent_at, found.events) == (7, [*events, b"{]", *events])
    assert [decoded(each)["query"] for each in found.events[:5]] == texts


@pytest.mark.parametrize(
    "body",
    [
        b'{"sent_at": 1, "events": [{"a": 1}, {"b": ',
        b'{"sent_at": 1, "events": [{"a": 1}, {"b": 2}',
        b'{"events": [{"a": }]}',
        b'{"sent_at": 1, "events": [{"a": }], "sent_at": 2}',
        b'{"sent_at": 1, "events": 7}',
        b"]}",
        b"",
    ],
)
def test_without_whole_ends_nobody_knows_what_is_missing(body: bytes) -> None:
    assert salvaged(body) is None
