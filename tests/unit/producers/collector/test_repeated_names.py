"""A name that is there twice in one object costs its event, wherever it is; one that repeats none passes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.collector.examples import SENT_AT
from producers.collector.repeated_names import may_repeat, refuse_repeats
from schemas.errors import InvalidEvent
from tests.unit.producers.collector.conftest import Collector, event

ERROR, DIAGNOSTIC = (json.dumps(event(each)).encode() for each in ("error", "diagnostic"))
NAMES = st.text(max_size=4)
VALUES = st.recursive(
    st.none() | st.integers() | st.text('a:"{}\\', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def body(*events: bytes) -> bytes:
    return b'{"sent_at": %d, "events": [%b]}' % (SENT_AT, b", ".join(events))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (ERROR[:-1] + b', "fatal": true}', "fatal"),
        (ERROR[:-1] + b', "fatal" : false}', "fatal"),
        (ERROR[:-1] + rb', "f\u0061tal": true}', "fatal"),
        (DIAGNOSTIC.replace(b'"resets"', b'"codec": "av1", "resets"'), "codec"),
    ],
    ids=["another value", "the same value", "escaped", "in an object of an event"],
)
async def test_a_name_that_is_there_twice_costs_its_event_and_is_named(
    collector: Collector, bad: bytes, field: str
) -> None:
    answer = await collector.post(content=body(ERROR, bad, DIAGNOSTIC))

    [rejected] = answer.json()["rejected"]
    [letter] = collector.dead_letters()
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert (rejected["index"], rejected["code"], rejected["field"]) == (1, "repeated_field", field)
    assert rejected["message"] == f"{field} is there twice in one object; send it once."
    assert letter.value == b'{"sent_at":%d,"events":[%b]}' % (SENT_AT, bad)


async def test_it_is_found_next_to_an_event_that_is_not_json(collector: Collector) -> None:
    answer = await collector.post(content=body(ERROR[:-1] + b', "fatal": true}', DIAGNOSTIC[:-1], ERROR))

    assert [each["code"] for each in answer.json()["rejected"]] == ["repeated_field", "malformed"]


async def test_texts_that_look_like_a_name_are_texts(collector: Collector) -> None:
    texts = ['"code": "x"', "https://example.com:443/:", '{"fatal": true, "fatal": false}']
    answer = await collector.post(*(event("error", message=text) for text in texts))

    assert (answer.status_code, answer.json()) == (202, {"accepted": 3, "rejected": []})


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_repeats_no_name_is_not_refused(value: dict[str, Any]) -> None:
    refuse_repeats(json.dumps(value).encode())


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), VALUES, st.data())
def test_every_repeated_name_is_found(value: dict[str, Any], other: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(value)))
    text = f"{json.dumps(value)[:-1]}, {json.dumps(name)}: {json.dumps(other)}}}".encode()

    assert may_repeat(text, [{**value, name: other}])
    with pytest.raises(InvalidEvent) as refused:
        refuse_repeats(text)
    assert refused.value.code == "repeated_field"
