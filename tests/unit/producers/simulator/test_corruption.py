"""Whatever is called corrupt is corrupt, in bytes and in JSON, and says where."""

from typing import Any

import msgspec
import pytest

from producers.simulator.corruption import BROKEN, MANGLED, corrupt_json, corrupt_payload
from producers.simulator.synthetic import members
from producers.simulator.visits import Span, visits
from schemas.client_events import STAMPED, event_from_client
from schemas.codec import decode
from schemas.errors import InvalidEvent
from schemas.events import EVENT_TYPES, Event, Record, family
from schemas.framing import unframe

NOW = 1_790_000_000_000
SPAN = Span(NOW - 10 * 86_400_000, NOW)
IDS = {name: number for number, name in enumerate(EVENT_TYPES, 1)}


def samples() -> dict[str, Event]:
    events = (event for visit in visits(members(60, seed=1), SPAN, seed=1) for event in visit.events)
    return {family(event): event for event in events}


EVENTS = samples()


def read(name: str, payload: bytes) -> Record:
    schema_id, datum = unframe(payload)
    if schema_id != IDS[name]:
        raise InvalidEvent("unknown_schema", "not this family's")
    return decode(name, datum)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_way_of_spoiling_a_payload_is_noticed(name: str) -> None:
    for number in range(len(MANGLED) + len(BROKEN[name])):
        payload, field = corrupt_payload(EVENTS[name], number, IDS)
        with pytest.raises(InvalidEvent) as caught:
            read(name, payload)
        if field:
            assert caught.value.field == field


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_broken_rules_are_called_by_their_code(name: str) -> None:
    for number, broken in enumerate(BROKEN[name], len(MANGLED)):
        with pytest.raises(InvalidEvent) as caught:
            read(name, corrupt_payload(EVENTS[name], number, IDS)[0])
        assert (caught.value.code, caught.value.field) == (broken.code, broken.field)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_way_of_spoiling_a_posted_event_is_refused(name: str) -> None:
    fields: dict[str, Any] = msgspec.to_builtins(EVENTS[name])
    raw = {key: value for key, value in fields.items() if key not in STAMPED and value is not None}
    sent_at = EVENTS[name].sent_at
    assert event_from_client(raw, sent_at, sent_at).event_id == EVENTS[name].event_id
    for number in range(len(BROKEN[name]) + 3):
        spoiled, field = corrupt_json(raw, number)
        posted = msgspec.json.decode(msgspec.json.encode(spoiled))
        with pytest.raises(InvalidEvent) as caught:
            event_from_client(posted, sent_at, sent_at)
        assert caught.value.field == field
