import pytest

from schemas import codec
from schemas.framing import unframe
from tests.unit.producers.collector.conftest import NOW, SCHEMA_IDS, Collector, event

KEYS = {
    "ui": b"me", "playback": b"me", "error": b"me",
    "diagnostic": b"tv-living-budget", "processing": b"encoder-7", "performance": b"tv-living-budget",
}  # fmt: skip


@pytest.mark.parametrize("family", KEYS)
async def test_each_familys_example_reaches_its_topic_framed_and_keyed(collector: Collector, family: str) -> None:
    answer = await collector.post(event(family))

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    [message] = collector.log.stored
    schema_id, datum = unframe(message.value)
    stored = codec.decode(family, datum)
    assert (message.topic, message.key, schema_id) == (f"playhead.{family}", KEYS[family], SCHEMA_IDS[family])
    assert (stored.received_at, stored.event_time) == (NOW, NOW - 200)  # type: ignore[union-attr]
