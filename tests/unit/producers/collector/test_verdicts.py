import asyncio
from typing import Any

import pytest

from domain.metrics import COLLECTOR_EVENTS, COLLECTOR_IN_FLIGHT, COLLECTOR_REQUESTS, DEAD_LETTERS_MADE
from producers.ports import Delivery, Message
from tests.unit.producers.collector.conftest import NOW, Collector, event

ID = "01972a3e-8c00-7000-8000-000000000001"


async def test_a_mixed_request_is_accepted_and_names_what_was_not(collector: Collector) -> None:
    answer = await collector.post(event(), event("playback", seq=-1), event("error"))

    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 2,
        "rejected": [
            {
                "index": 1,
                "event_id": "01972a3e-8c00-7000-8000-000000000002",
                "field": "seq",
                "code": "out_of_range",
                "message": "seq is -1; it must be from 0 to 2147483647.",
            }
        ],
    }
    assert [len(collector.on(f"playhead.{f}")) for f in ("ui", "playback", "error", "dead_letters")] == [1, 0, 1, 1]


async def test_a_request_without_one_valid_event_is_a_400_that_names_index_and_field(collector: Collector) -> None:
    answer = await collector.post(event(page=""), event("playback", seq="7"))

    content = answer.json()
    assert answer.status_code == 400
    assert (content["code"], content["accepted"], content["server_time"]) == ("empty", 0, NOW)
    assert content["message"] == "No event was accepted. events[0].page: page is empty; it must have 1 to 128 bytes."
    assert [(each["index"], each["field"], each["code"]) for each in content["rejected"]] == [
        (0, "page", "empty"),
        (1, "seq", "wrong_type"),
    ]


@pytest.mark.parametrize("raw", ["text", None, 7, []])
async def test_what_is_not_even_an_object_is_refused_alone(collector: Collector, raw: Any) -> None:
    answer = await collector.post(raw, event())

    [rejected] = answer.json()["rejected"]
    assert answer.json()["accepted"] == 1
    assert (rejected["index"], rejected["event_id"], rejected["field"], rejected["code"]) == (
        0,
        None,
        None,
        "wrong_type",
    )
    assert len(collector.dead_letters()) == 1


async def test_an_answer_about_a_clock_tells_the_servers_time(collector: Collector) -> None:
    tomorrow = NOW + 2 * 24 * 60 * 60 * 1000

    content = (await collector.post(event("playback", session_started_at=tomorrow))).json()

    assert (content["code"], content["server_time"]) == ("in_future", NOW)
    assert f"the server's time ({NOW})" in content["message"]


async def test_an_empty_request_is_accepted(collector: Collector) -> None:
    answer = await collector.post()

    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "rejected": []})


async def test_a_dry_run_judges_and_stores_nothing(collector: Collector) -> None:
    good = await collector.post(event(), event(page=""), query="?dry_run=true")
    bad = await collector.post(event(page=""), query="?dry_run=true")
    unreadable = await collector.post(content=b"{", query="?dry_run=true")

    assert (good.status_code, good.json()["accepted"], len(good.json()["rejected"])) == (200, 1, 1)
    assert (bad.status_code, unreadable.status_code) == (400, 400)
    assert (collector.log.stored, collector.metrics.counts[COLLECTOR_EVENTS]) == ([], {})


async def test_a_misspelt_dry_run_is_refused_lest_events_be_stored(collector: Collector) -> None:
    answer = await collector.post(event(), query="?dry_run=yes")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert collector.log.stored == []


@pytest.mark.parametrize(("delivery", "code"), [("unknown", "unknown"), ("failed", "not_stored")])
async def test_an_event_that_kafka_did_not_confirm_is_asked_for_again(
    collector: Collector, delivery: Delivery, code: str
) -> None:
    collector.log.delivery = lambda message: delivery if message.topic == "playhead.ui" else "acknowledged"

    answer = await collector.post(event(), event("error"))

    [rejected] = answer.json()["rejected"]
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert (rejected["index"], rejected["event_id"], rejected["field"], rejected["code"]) == (0, ID, None, code)
    assert "Send it again under the same id" in rejected["message"]
    assert collector.metrics.counts[COLLECTOR_EVENTS] == {("ui", "unsettled"): 1, ("error", "accepted"): 1}


@pytest.mark.parametrize("delivery", ["unknown", "failed"])
async def test_when_kafka_confirms_nothing_the_whole_request_is_asked_for_again(
    collector: Collector, delivery: Delivery
) -> None:
    collector.log.delivery = lambda _: delivery

    answer = await collector.post(event(), event("error"))

    assert (answer.status_code, answer.json()["code"]) == (503, "not_stored")
    assert answer.headers["Retry-After"] == "5"


async def test_a_rejection_is_given_only_once_its_dead_letter_is_stored(collector: Collector) -> None:
    def delivery(message: Message) -> Delivery:
        return "unknown" if message.topic == "playhead.dead_letters" else "acknowledged"

    collector.log.delivery = delivery
    mixed = await collector.post(event(), event(page=""))
    alone = await collector.post(event(page=""))
    unreadable = await collector.post(content=b"{")

    assert (mixed.status_code, mixed.json()["rejected"][0]["code"]) == (202, "unknown")
    assert (alone.status_code, unreadable.status_code) == (503, 503)
    assert collector.metrics.counts[DEAD_LETTERS_MADE] == {}


async def test_the_answer_waits_for_kafka(collector: Collector) -> None:
    collector.log.gate.clear()
    asking = asyncio.create_task(collector.post(event()))
    await collector.log.asked.wait()
    assert collector.metrics.gauges[COLLECTOR_IN_FLIGHT][()] > 0
    assert not asking.done()

    collector.log.gate.set()

    assert (await asking).status_code == 202
    assert collector.metrics.gauges[COLLECTOR_IN_FLIGHT][()] == 0


async def test_requests_and_events_are_counted(collector: Collector) -> None:
    await collector.post(event(), event("playback"), event("playback", seq=-1), event(family="film"))
    await collector.post(content=b"{")

    assert collector.metrics.by(COLLECTOR_REQUESTS, "status") == {202: 1, 400: 1}
    assert collector.metrics.counts[COLLECTOR_EVENTS] == {
        ("ui", "accepted"): 1,
        ("playback", "accepted"): 1,
        ("playback", "rejected"): 1,
        ("unknown", "rejected"): 1,
    }
    assert collector.metrics.counts[DEAD_LETTERS_MADE] == {
        ("collector", "playhead.playback", "out_of_range"): 1,
        ("collector", "unknown", "unknown_family"): 1,
        ("collector", "unknown", "malformed"): 1,
    }
