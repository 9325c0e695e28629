"""A whole run of the past: repeatable to the byte, valid where it says so."""

import hashlib

from producers.simulator.network import Faults
from schemas.codec import decode, encode
from schemas.events import EVENT_TYPES, family
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS
from tests.support.simulated_events import Sent, generate

IDS = {name: number for number, name in enumerate(EVENT_TYPES, 1)}
FAULTS = Faults(late=0.05, duplicated=0.05, reordered=0.05, corrupt=0.02, lost=0.01)


def run(seed: int, events: int = 2_000) -> Sent:
    return generate(seed, IDS, events, FAULTS)


def digest(sent: Sent) -> str:
    whole = hashlib.sha256()
    for message in sent.records:
        whole.update(message.topic.encode() + message.key + message.value)
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(run(1)) == "7d7533b04fc4e1ce0dd7be0420eb469ab2c390381dc2d5ec4361198e6df1d851"


def test_another_seed_gives_others() -> None:
    assert digest(run(2)) != digest(run(1))


def test_records_are_the_valid_events_and_the_corrupt_ones() -> None:
    sent = run(1)
    assert len(sent.records) == 2_000 == len(sent.events) + len(sent.corrupt)
    valid = [frame(IDS[family(event)], encode(event)) for event in sent.events]
    assert sorted(valid + [one.message.value for one in sent.corrupt]) == sorted(m.value for m in sent.records)
    for event in sent.events:
        assert decode(family(event), encode(event)) == event


def test_records_go_to_their_family_under_their_profile() -> None:
    sent = run(1)
    keys = {(EVENT_TOPICS[family(e)].name, (e.profile_id or e.device_id).encode()) for e in sent.events}
    assert {(m.topic, m.key) for m in sent.records} <= keys | {(o.message.topic, o.message.key) for o in sent.corrupt}
