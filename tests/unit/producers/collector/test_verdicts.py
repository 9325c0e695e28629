import asyncio
from typing import Any

import pytest

from domain.metrics import (
    COLLECTOR_EVENTS,
    COLLECTOR_IN_FLIGHT,
    COLLECTOR_REFUSED,
    COLLECTOR_REQUESTS,
    COLLECTOR_WARNINGS,
    DEAD_LETTERS_MADE,
)
from producers.collector.examples import SENT_AT
from producers.ports import Delivery, Message
from schemas import codec
from schemas.events import Ui
from schemas.framing import unframe
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
                "errors": [
                    {
                        "field": "seq",
                        "code": "out_of_range",
                        "message": "seq is -1; it must be from 0 to 2147483647.",
                    }
                ],
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


async def test_all_errors_of_an_event_are_named_at_once(collector: Collector) -> None:
    bad = event("playback", seq="7", app_name="", colour="red", received_at=1, watched_ms=-1, startup_time_ms=None)
    del bad["title_id"]
    answer = await collector.post(event(), bad)

    [rejected] = answer.json()["rejected"]
    assert [(each["field"], each["code"]) for each in rejected["errors"]] == [
        ("received_at", "unknown_field"),
        ("colour", "unknown_field"),
        ("seq", "wrong_type"),
        ("title_id", "missing"),
        ("app_name", "empty"),
        ("watched_ms", "out_of_range"),
        ("startup_time_ms", "required"),
    ]
    assert {name: rejected[name] for name in ("field", "code", "message")} == rejected["errors"][0]


async def test_an_unknown_country_costs_no_event(collector: Collector) -> None:
    given = ["T1", "", "XX", None, "nl", " Uk", "Germany", "ZZ", "D\u00c9"]
    answer = await collector.post(*(event(country=each) for each in given))

    stored = [codec.decode("ui", unframe(message.value)[1]) for message in collector.log.stored]
    assert [each.country for each in stored if isinstance(each, Ui)] == [
        "ZZ", "ZZ", "ZZ", "ZZ", "NL", "GB", "ZZ", "ZZ", "ZZ",
    ]  # fmt: skip
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (202, 9, [])
    warnings = answer.json()["warnings"]
    assert [each["index"] for each in warnings] == [0, 1, 2, 3, 6, 8]
    assert warnings[0] == {
        "index": 0,
        "event_id": ID,
        "field": "country",
        "code": "unknown_country",
        "message": "country is 'T1', which is no ISO 3166-1 alpha-2 code; it was stored as ZZ.",
    }
    assert collector.metrics.counts[COLLECTOR_WARNINGS] == {("ui", "unknown_country"): 6}


@pytest.mark.parametrize(
    "bad",
    [
        b'{"family": "ui", "%b": 1}' % (b"x" * 900_000),
        b'{"family": "%b"}' % ("\U0010ffff" * 200_000).encode(),
        b'{"family": "ui", "event_id": "%b", "device_type": "%b"}' % (b"i" * 400_000, b"d" * 400_000),
        b'{"family": "diagnostic", "fields": {"%b": "x"}}' % (b"k" * 900_000),
    ],
    ids=["a name", "a family", "an id and a symbol", "a key"],
)
async def test_answers_and_reasons_are_bounded_whatever_a_client_sends(collector: Collector, bad: bytes) -> None:
    answer = await collector.post(content=b'{"sent_at": %d, "events": [%b]}' % (SENT_AT, bad))

    [letter] = collector.dead_letters()
    assert answer.status_code == 400
    assert len(answer.content) < 10_000
    assert len(letter.reason) <= 501
    assert len(collector.on("playhead.dead_letters")[0].value) < len(bad) + 2_000


async def test_the_answer_to_500_events_full_of_errors_is_bounded_and_names_the_first_of_each(
    collector: Collector,
) -> None:
    bad = {"family": "ui", "event_id": "x" * 100, **{f"{'f' * 60}{n:03}": 1 for n in range(20)}}
    answer = await collector.post(*[bad] * 500)

    rejected = answer.json()["rejected"]
    assert (answer.status_code, len(rejected)) == (400, 500)
    assert [len(each["errors"]) for each in rejected][::499] == [28, 1]
    assert len(answer.content) < 600_000


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
    content = (await collector.post(event("playback", session_started_at=NOW // 1000))).json()

    assert (content["code"], content["server_time"]) == ("out_of_range", NOW)
    assert "send milliseconds since 1970" in content["message"]


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
    assert collector.metrics.by(COLLECTOR_REFUSED, "code") == {"malformed": 1}
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
