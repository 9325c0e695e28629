"""What the gateway lets through, and what it answers instead."""

import json
import re
import socket
from collections import Counter
from uuid import uuid4

import pytest

from tests.integration.gateway.conftest import PER_ADDRESS, Gateway
from tests.support.pipeline import eventually

MIB = 2**20
PATH = "/v1/profiles/ml-1/export"


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/events", "collector"),
        ("/v1/events?dry_run=true", "collector"),
        ("/v1/profiles/ml-1/viewing-history", "history-api"),
        ("/v1/profiles/a%2Fb%25/continue-watching", "history-api"),
        ("/v1/cmcd?key=k", "collector"),
    ],
)
def test_a_path_leads_to_its_service_as_it_was_sent(gateway: Gateway, path: str, service: str) -> None:
    assert gateway.ask(path).body == service.encode()
    assert gateway.reached[-1][:2] == (service, path)


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/v1/profiles/../../metrics",
        "/v1/profiles/%2e%2e/%2e%2e/metrics",
        "/index.html",
        "/v1/live",
        "/members/ml-1",
        "/v1/eventsfoo",
    ],
)
def test_figures_and_console_are_not_for_clients(gateway: Gateway, path: str) -> None:
    before = len(gateway.reached)
    answer = gateway.ask(path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing here.",
        "code": "not_found",
        "message": "There is nothing here.",
    }
    assert len(gateway.reached) == before


def test_the_address_alone_leads_to_the_account(gateway: Gateway) -> None:
    answer = gateway.ask("/")
    assert (answer.status, answer.headers["Location"]) == (302, "/account")


def test_a_service_knows_the_client_s_address_and_no_other_that_the_client_names(gateway: Gateway) -> None:
    gateway.ask(f"{PATH}?forwarded", headers={"X-Forwarded-For": "10.1.2.3"}, source="127.0.0.9")
    assert gateway.reached[-1][2]["X-Forwarded-For"] == "127.0.0.9"


def test_a_service_hears_of_no_header_by_which_a_client_could_say_who_it_is(gateway: Gateway) -> None:
    foreign = ("X-Account-Id", "X-Profile-Id", "X-Country", "X-Request-Id", "X-Real-IP", "Forwarded", "Via", "From")
    answer = gateway.ask(PATH, headers=dict.fromkeys(foreign, "victim"))
    reached = gateway.reached[-1][2]
    assert "victim" not in reached.values()
    assert reached["X-Request-Id"] == answer.headers["X-Request-Id"]


def test_a_service_hears_of_what_a_request_means(gateway: Gateway) -> None:
    sent = {
        "Authorization": "Bearer some",
        "Cookie": "playhead_member=token; other=1",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "Origin": "https://tv.example",
        "Accept": "text/html",
        "Idempotency-Key": "once",
        "User-Agent": "tv",
    }
    gateway.ask("/v1/events", "POST", b"body", sent)
    _, _, headers, body = gateway.reached[-1]
    assert {name: headers[name] for name in sent} == sent
    assert (headers["Content-Length"], body) == ("4", b"body")


@pytest.mark.parametrize(
    ("request_head", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 5_000, 431, "headers_too_large"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %b\r\n" % (n, b"a" * 900) for n in range(30)),
            431,
            "headers_too_large",
        ),
        (b"GET /" + b"a" * 5_000, 414, ""),
    ],
    ids=["one header", "many headers", "an address"],
)
def test_a_head_without_end_is_refused_and_no_service_hears_of_it(
    gateway: Gateway, request_head: bytes, status: int, code: str
) -> None:
    before = len(gateway.reached)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
        client.sendall(request_head)
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert code.encode() in answer
    assert len(gateway.reached) == before


def test_a_body_reaches_the_service_only_when_all_of_it_is_there(gateway: Gateway) -> None:
    path = f"/v1/events?slow={uuid4()}"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as slow:
        slow.sendall(head.encode() + b"a" * 50_000)
        assert gateway.ask("/v1/events").status == 200
        assert path not in gateway.paths()
        slow.sendall(b"b" * 50_000)
        assert slow.makefile("rb").read().endswith(b"collector")
    assert [body for _, each, _, body in gateway.reached if each == path] == [b"a" * 50_000 + b"b" * 50_000]


def test_a_body_of_chunks_comes_with_its_length(gateway: Gateway) -> None:
    path = f"/v1/events?chunked={uuid4()}"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        client.sendall(head.encode() + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert client.makefile("rb").read().endswith(b"collector")
    assert [(headers["Content-Length"], body) for _, each, headers, body in gateway.reached if each == path] == [
        ("5", b"abcde")
    ]


def test_the_largest_body_passes_and_one_byte_more_is_a_413_that_the_client_reads(gateway: Gateway) -> None:
    assert gateway.ask("/v1/events", "POST", b"a" * MIB).status == 200
    answer = gateway.ask("/v1/events", "POST", b"a" * (MIB + 1))
    assert (answer.status, answer.code) == (413, "body_too_large")


def test_only_events_have_large_bodies(gateway: Gateway) -> None:
    assert gateway.ask(PATH, "POST", b"a" * 20_000).status == 413


def test_a_service_that_is_away_is_worth_another_try(gateway: Gateway) -> None:
    answer = gateway.ask("/v1/playback")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "5")


def test_a_browser_that_wanted_a_page_reads_that_the_service_is_away(gateway: Gateway) -> None:
    wanted = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = gateway.ask("/watch/ml-50", headers=wanted)
    assert (page.status, page.headers["Content-Type"], page.headers["Retry-After"]) == (
        503,
        "text/html; charset=utf-8",
        "5",
    )
    assert b"<p>The service does not answer now. Try again later.</p>" in page.body
    api = gateway.ask("/v1/playback", headers=wanted)
    assert (api.code, api.headers["Content-Type"]) == ("unavailable", "application/problem+json")


def test_a_page_of_any_site_may_read_why_it_was_not_served(gateway: Gateway) -> None:
    headers = gateway.ask("/v1/playback", headers={"Origin": "https://tv.example"}).headers
    assert headers["Access-Control-Allow-Origin"] == "https://tv.example"
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Expose-Headers"] == "Date, Retry-After, X-Request-Id"


def test_one_address_has_its_share_and_another_is_served_meanwhile(gateway: Gateway) -> None:
    statuses = at_once(gateway, PATH, PER_ADDRESS * 20, source="127.0.0.2")
    assert set(statuses) == {200, 429}
    assert statuses[200] > PER_ADDRESS
    assert gateway.ask(PATH, source="127.0.0.3").status == 200


@pytest.mark.parametrize(
    "how", ["Authorization: Bearer ", "Authorization: bearer ", "?key=", "Cookie: playhead_member="]
)
def test_one_key_has_its_share_however_many_addresses_use_it(gateway: Gateway, how: str) -> None:
    key = "a" * 300 + uuid4().hex  # all tokens begin alike
    path = f"/v1/events?key={key}" if how == "?key=" else "/v1/events"
    header = "" if how == "?key=" else f"{how}{key}\r\n"
    statuses: Counter[int] = Counter()
    for number in range(20):
        statuses += at_once(gateway, path, PER_ADDRESS, header, source=f"127.0.1.{number}")
    assert set(statuses) == {200, 429}
    other = f"Bearer {'a' * 300}{uuid4().hex}"
    assert gateway.ask("/v1/events", headers={"Authorization": other}, source="127.0.1.200").status == 200


def test_a_client_learns_when_to_come_again(gateway: Gateway) -> None:
    at_once(gateway, PATH, PER_ADDRESS * 20, source="127.0.0.4")
    answer = gateway.ask(PATH, source="127.0.0.4")
    while answer.status == 200:  # this machine was slow
        at_once(gateway, PATH, PER_ADDRESS * 20, source="127.0.0.4")
        answer = gateway.ask(PATH, source="127.0.0.4")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "too_many_requests", "1")


def at_once(gateway: Gateway, path: str, requests: int, header: str = "", *, source: str) -> Counter[int]:
    """How often each status was the answer to requests that one connection sends together."""
    one = f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}"
    last = f"{one}Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60, source_address=(source, 0)) as client:
        client.sendall(f"{one}\r\n".encode() * (requests - 1) + last.encode())
        answers = client.makefile("rb").read()
    return Counter(map(int, re.findall(rb"HTTP/1\.1 (\d+) ", answers)))


def test_the_log_names_neither_member_nor_key(gateway: Gateway) -> None:
    gateway.ask("/v1/profiles/secret-member/export", headers={"Authorization": "Bearer secret-key"})
    gateway.ask("/v1/events?key=secret-key", "DELETE")

    def lines(method: str) -> list[dict[str, object]]:
        log = map(json.loads, gateway.stack.log("gateway").read_text().splitlines())
        return [line for line in log if line["method"] == method]

    eventually(lambda: bool(lines("DELETE")))
    (line,) = lines("DELETE")
    assert (line["client"], line["service"], line["status"]) == ("127.1.0.0", "collector", 501)
    assert "secret" not in gateway.stack.log("gateway").read_text()


@pytest.mark.parametrize(
    ("path", "method"), [("/v1/events", "DELETE"), ("/v1/profiles/me/export", "GET"), ("/metrics", "GET")]
)
def test_each_answer_names_its_line_of_the_log(gateway: Gateway, path: str, method: str) -> None:
    (request,) = gateway.ask(path, method).headers.get_all("X-Request-Id", [])

    assert len(request) == 32
    eventually(lambda: f'"request":"{request}"' in gateway.stack.log("gateway").read_text())


def test_requests_are_counted_by_service_and_status(gateway: Gateway) -> None:
    before = gateway.counts()
    gateway.ask("/v1/events", source="127.0.0.5")
    gateway.ask("/v1/playback", source="127.0.0.5")

    def rise(*series: str) -> float:
        return gateway.counts().get(series, 0) - before.get(series, 0)

    eventually(lambda: (rise("collector", "200"), rise("playback", "503")) == (1, 1))
