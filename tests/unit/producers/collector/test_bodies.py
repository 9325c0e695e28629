import gzip
import json
from collections.abc import AsyncIterator

import pytest

from domain.metrics import COLLECTOR_IN_FLIGHT
from producers.collector.examples import SENT_AT
from tests.unit.producers.collector.conftest import Collector, event

BODY = json.dumps({"sent_at": SENT_AT, "events": [event()]}).encode()
GZIP = {"Content-Encoding": "gzip"}
MIB = 2**20


def padded(size: int) -> bytes:
    return BODY + b" " * (size - len(BODY))


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "text/plain;charset=UTF-8", "Text/Plain"]
)
async def test_json_is_read_under_its_own_type_and_under_the_one_of_beacons(
    collector: Collector, content_type: str
) -> None:
    answer = await collector.post(content=BODY, headers={"Content-Type": content_type})

    assert answer.status_code == 202


@pytest.mark.parametrize("content_type", ["", "application/x-www-form-urlencoded", "application/cmcd"])
async def test_another_type_is_refused_unread_and_leaves_no_dead_letter(
    collector: Collector, content_type: str
) -> None:
    answer = await collector.post(content=BODY, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "send application/json" in answer.json()["message"]
    assert collector.log.stored == []


async def test_a_body_may_come_as_gzip(collector: Collector) -> None:
    answer = await collector.post(content=gzip.compress(BODY), headers=GZIP)

    assert answer.status_code == 202


async def test_another_encoding_is_refused_with_the_one_we_know(collector: Collector) -> None:
    answer = await collector.post(content=BODY, headers={"Content-Encoding": "br"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_encoding")
    assert answer.headers["Accept-Encoding"] == "gzip"


async def test_the_largest_body_is_taken(collector: Collector) -> None:
    plain = await collector.post(content=padded(MIB))
    chunked = await collector.post(content=chunks(padded(MIB)))
    inflated = await collector.post(content=gzip.compress(padded(MIB)), headers=GZIP)

    assert [answer.status_code for answer in (plain, chunked, inflated)] == [202, 202, 202]


async def test_a_larger_body_is_refused_with_the_limit_however_it_comes(collector: Collector) -> None:
    plain = await collector.post(content=padded(MIB + 1))
    chunked = await collector.post(content=chunks(padded(MIB + 1)))
    inflated = await collector.post(content=gzip.compress(padded(MIB + 1)), headers=GZIP)
    bomb = await collector.post(content=gzip.compress(bytes(200 * MIB)), headers=GZIP)

    for answer in (plain, chunked, inflated, bomb):
        assert (answer.status_code, answer.json()["code"], answer.json()["limit_bytes"]) == (
            413,
            "body_too_large",
            1_048_576,
        )
    assert collector.log.stored == []
    assert collector.metrics.gauges[COLLECTOR_IN_FLIGHT][()] == 0


async def test_more_than_500_events_are_refused_with_the_limit(collector: Collector) -> None:
    most = await collector.post(*[event()] * 500)
    too_many = await collector.post(*[event()] * 501)

    assert (most.status_code, most.json()["accepted"]) == (202, 500)
    assert (too_many.status_code, too_many.json()["code"], too_many.json()["limit_events"]) == (
        413,
        "too_many_events",
        500,
    )


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "malformed", None),
        (b"{", "malformed", None),
        (b'{"sent_at": 1, "events": []} more', "malformed", None),
        (b'{"sent_at": 1, "events": [{"page": "\xff"}]}', "malformed", None),
        (b'{"sent_at": 1, "events": [{"page": "\\ud800"}]}', "malformed", None),
        (b'{"sent_at": 1, "events": [{"value": NaN}]}', "malformed", None),
        (b"[" * 100_000, "malformed", None),
        (b"[]", "wrong_type", None),
        (b'{"events": []}', "missing", "sent_at"),
        (b'{"sent_at": 1}', "missing", "events"),
        (b'{"sent_at": "now", "events": []}', "wrong_type", "sent_at"),
        (b'{"sent_at": true, "events": []}', "wrong_type", "sent_at"),
        (b'{"sent_at": -1, "events": []}', "out_of_range", "sent_at"),
        (b'{"sent_at": 1e30, "events": []}', "wrong_type", "sent_at"),
        (b'{"sent_at": 1, "events": {}}', "wrong_type", "events"),
        (b'{"sent_at": 1, "events": [], "event": {}}', "unknown_field", "event"),
    ],
)
async def test_a_body_that_is_not_a_request_is_one_dead_letter(
    collector: Collector, body: bytes, code: str, field: str | None
) -> None:
    answer = await collector.post(content=body)

    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["field"]) == (code, field)
    [letter] = collector.dead_letters()
    assert (letter.step, letter.error_class, letter.field, letter.topic) == ("collector", code, field, None)
    assert letter.value == body


@pytest.mark.parametrize(
    "broken", [b"plain", gzip.compress(BODY)[:-9], gzip.compress(BODY) + b"x", gzip.compress(BODY) * 2]
)
async def test_broken_gzip_is_kept_as_it_came(collector: Collector, broken: bytes) -> None:
    answer = await collector.post(content=broken, headers=GZIP)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert [letter.value for letter in collector.dead_letters()] == [broken]
