import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from domain.metrics import COLLECTOR_IN_FLIGHT, COLLECTOR_REFUSED
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


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, b"\xef\xbb\xbf".__add__], ids=["plain", "gzip", "bom"])
async def test_json_is_known_by_its_first_bytes_whatever_the_type_says(
    collector: Collector, content_type: str, pack: Callable[[bytes], bytes]
) -> None:
    answer = await collector.post(content=pack(BODY), headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"data": BODY.decode()},
        {"sent_at": str(SENT_AT), "events": json.dumps([event("ui", page="café & ünïcode=%")])},
    ],
    ids=["whole", "two fields"],
)
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
async def test_a_form_is_read(collector: Collector, fields: dict[str, str], kind: str) -> None:
    sent = (
        {"data": fields} if kind == "urlencoded" else {"files": {name: (None, each) for name, each in fields.items()}}
    )
    request = httpx.Request("POST", "http://collector", **sent)

    answer = await collector.post(content=request.read(), headers={"Content-Type": request.headers["Content-Type"]})

    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})


@pytest.mark.parametrize("body", [b"a=1&b=2", b"a=1", b"", b"&".join([b"a={}"] * 11), b"--x--"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_another_form_is_refused_by_name_and_kept(collector: Collector, body: bytes, kind: str) -> None:
    answer = await collector.post(content=body, headers={"Content-Type": kind})

    assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_form")
    assert [letter.value for letter in collector.dead_letters()] == [body]


@pytest.mark.parametrize("content_type", ["application/cmcd", "image/gif", "application/x-protobuf"])
async def test_a_body_of_another_type_that_is_not_json_is_refused_by_name_and_kept(
    collector: Collector, content_type: str
) -> None:
    answer = await collector.post(content=b"bl=21300,br=3200", headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert content_type in answer.json()["message"]
    assert [letter.error_class for letter in collector.dead_letters()] == ["unsupported_media_type"]
    assert collector.metrics.by(COLLECTOR_REFUSED, "code") == {"unsupported_media_type": 1}


async def test_a_body_in_utf_16_is_refused_by_name(collector: Collector) -> None:
    answers = [
        await collector.post(content=BODY.decode().encode(each)) for each in ("utf-16", "utf-16-le", "utf-16-be")
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers[:1]] == [(400, "malformed")]
    assert all("UTF-16" in answer.json()["message"] for answer in answers[::2])


async def test_a_body_may_come_as_gzip(collector: Collector) -> None:
    answer = await collector.post(content=gzip.compress(BODY), headers=GZIP)

    assert answer.status_code == 202


@pytest.mark.parametrize("encoding", ["deflate", "gzip", "br"])
async def test_a_body_that_a_proxy_inflated_is_read_though_its_header_stayed(
    collector: Collector, encoding: str
) -> None:
    assert (await collector.post(content=BODY, headers={"Content-Encoding": encoding})).status_code == 202


async def test_a_body_may_come_deflated(collector: Collector) -> None:
    answer = await collector.post(content=zlib.compress(BODY), headers={"Content-Encoding": "deflate"})

    assert answer.status_code == 202


async def test_another_encoding_is_refused_with_the_one_we_know_and_kept(collector: Collector) -> None:
    answer = await collector.post(content=b"\x0b\x02\x80{}\x03", headers={"Content-Encoding": "br"})

    assert [letter.error_class for letter in collector.dead_letters()] == ["unsupported_encoding"]
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
        (b'{"sent_at": 1, "events": [{"page": "cut off', "malformed", None),
        (b'{"sent_at": 1, "events": [{"page": "x"}}', "malformed", None),
        (b'{"sent_at": 1, "events": [{"page": "\xff"}], "more": 1}', "malformed", None),
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
        (b'{"sent_at": 1, "events": [1], "events": []}', "repeated_field", None),
        (b'{"sent_at": 1, "events": ":", "events": []}', "repeated_field", None),
        (rb'{"sent_at": 1, "events": [1], "\u0065vents": []}', "repeated_field", None),
        (b'{"sent_at": 1, "sent_at": 2, "events": []}', "repeated_field", None),
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
