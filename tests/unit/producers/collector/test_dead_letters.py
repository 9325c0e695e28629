import json

from producers.collector.examples import SENT_AT
from tests.unit.producers.collector.conftest import NOW, Collector, event

RAW = b'{ "family":"ui",  "page" : "caf\\u00e9", "unheard_of": 1.50 }'


async def test_a_refused_event_keeps_its_own_bytes_within_a_body_that_can_be_sent_again(collector: Collector) -> None:
    good = json.dumps(event()).encode()
    await collector.post(content=b'{"sent_at": %d, "events": [%b, %b]}' % (SENT_AT, good, RAW))

    [letter] = collector.dead_letters()
    assert letter.value == b'{"sent_at":%d,"events":[%b]}' % (SENT_AT, RAW)
    assert (letter.failed_at, letter.step, letter.topic, letter.partition) == (NOW, "collector", "playhead.ui", None)
    [message] = collector.on("playhead.dead_letters")
    assert message.key == letter.dead_letter_id.encode()


async def test_the_same_event_refused_again_in_another_request_is_the_same_dead_letter(collector: Collector) -> None:
    await collector.post(event(page=""), sent_at=SENT_AT)
    await collector.post(event(), event(page=""), sent_at=SENT_AT + 5_000)
    await collector.post(event(page="", row=9))

    first, again, other = [letter.dead_letter_id for letter in collector.dead_letters()]
    assert first == again
    assert other != first


async def test_each_dead_letter_belongs_to_its_own_event(collector: Collector) -> None:
    await collector.post(event(page=""), event(), event("error", code=""), event(), event(family="film"))

    letters = collector.dead_letters()
    assert [(letter.topic, letter.field) for letter in letters] == [
        ("playhead.ui", "page"),
        ("playhead.error", "code"),
        (None, "family"),
    ]
    bodies = [json.loads(letter.value or b"") for letter in letters]
    assert [body["events"][0]["family"] for body in bodies] == ["ui", "error", "film"]


async def test_no_stranger_can_write_a_dead_letter(collector: Collector) -> None:
    answer = await collector.post(content=b"rubbish", headers={"Authorization": "Bearer wrong"})

    assert (answer.status_code, collector.log.stored) == (401, [])
