import re
from base64 import b64encode
from hashlib import sha256

import pytest
from structlog.contextvars import get_contextvars

from domain.metrics import COLLECTOR_IN_FLIGHT, COLLECTOR_REQUESTS
from producers.ports import Delivery, Message
from tests.unit.producers.collector.conftest import Collector, event


@pytest.mark.parametrize(
    ("query", "authorization"),
    [("", "Bearer secret"), ("", "bearer other"), ("?key=secret", ""), ("?key=other&dry_run=false", "Basic x")],
)
async def test_a_key_opens_by_header_or_by_query(collector: Collector, query: str, authorization: str) -> None:
    answer = await collector.post(event(), query=query, headers={"Authorization": authorization})

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("query", "authorization"),
    [("", ""), ("", "Bearer"), ("", "Bearer wrong"), ("", "secret"), ("?key=", ""), ("?key=schlüssel", ""),
     ("?key=secret", "Bearer wrong")],
)  # fmt: skip
async def test_without_a_right_key_nothing_is_read(collector: Collector, query: str, authorization: str) -> None:
    answer = await collector.post(event(), query=query, headers={"Authorization": authorization})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert collector.log.stored == []


@pytest.mark.parametrize(
    "headers",
    [
        "authorization, content-type, content-encoding",
        "content-type",
        "baggage, content-type, sentry-trace, traceparent, tracestate, x-request-id",
        "x-datadog-trace-id, x-of-tomorrow",
    ],
)
async def test_a_page_of_any_origin_may_send_with_credentials_and_any_header(
    collector: Collector, headers: str
) -> None:
    asked = {
        "Origin": "https://watch.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": headers,
    }
    preflight = await collector.client.options("/v1/events", headers=asked)
    answer = await collector.post(event(), headers={"Origin": "https://watch.example"})

    assert preflight.status_code == 200
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["Access-Control-Allow-Headers"] == headers
    for each in (preflight, answer):
        assert each.headers["Access-Control-Allow-Origin"] == "https://watch.example"
        assert each.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in each.headers["Vary"]
    assert answer.headers["Access-Control-Expose-Headers"] == "Date, Retry-After, X-Request-Id"


async def test_a_wrong_path_or_method_is_answered_in_json(collector: Collector) -> None:
    path = await collector.client.post("/v1/event")
    method = await collector.client.get("/v1/events")

    assert (path.status_code, path.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.json()["code"], method.headers["Allow"]) == (405, "method_not_allowed", "POST")
    assert "POST /v1/events" in path.json()["message"]


async def test_a_failure_of_ours_is_answered_in_json_and_counted(collector: Collector) -> None:
    def explode(_: object) -> None:
        raise ZeroDivisionError

    collector.log.delivery = explode  # type: ignore[assignment]
    answer = await collector.post(event())

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert collector.metrics.by(COLLECTOR_REQUESTS, "status")[500] == 1
    assert collector.metrics.gauges[COLLECTOR_IN_FLIGHT][()] == 0


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/livez", "/metrics", "/v1/events", "/nothing"])
async def test_each_answer_keeps_a_page_to_itself(collector: Collector, path: str) -> None:
    headers = (await collector.client.get(path)).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_the_page_s_own_styles_are_the_only_thing_that_its_policy_allows(collector: Collector) -> None:
    page = await collector.client.get("/docs")
    [style] = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()

    assert page.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert "style=" not in page.text


@pytest.mark.parametrize("given", [None, "no", "a" * 65, '0123456789abcdef"}'])
async def test_a_request_without_an_id_gets_one(collector: Collector, given: str | None) -> None:
    answer = await collector.post(event(), headers={"X-Request-Id": given} if given else {})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


async def test_the_gateway_s_id_of_a_request_is_in_its_answer_its_log_and_its_records(collector: Collector) -> None:
    logged: list[object] = []

    def publish(_: Message) -> Delivery:
        logged.append(get_contextvars()["request"])
        return "acknowledged"

    collector.log.delivery = publish
    good, bad = event(), event(page="")
    answer = await collector.post(good, bad, headers={"X-Request-Id": "0123456789abcdef"})

    assert answer.headers.get_list("X-Request-Id") == ["0123456789abcdef"]
    assert logged == ["0123456789abcdef"] * 2
    assert {message.topic for message in collector.log.stored} == {"playhead.ui", "playhead.dead_letters"}
    assert collector.log.headers == [[("request_id", b"0123456789abcdef")]] * 2


async def test_it_is_ready_while_kafka_is_there_and_until_it_stops(collector: Collector) -> None:
    ready = await collector.client.get("/readyz")
    collector.stopping = True
    stopping = await collector.client.get("/readyz")
    collector.stopping = False
    collector.log.closed = True
    away = await collector.client.get("/readyz")
    alive = await collector.client.get("/livez")

    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert (stopping.status_code, stopping.json()) == (503, {"status": "stopping"})
    assert (away.status_code, away.json()) == (503, {"status": "kafka is unreachable"})
    assert alive.status_code == 200


@pytest.mark.parametrize("schema_ids", [{}])
async def test_until_the_registry_has_answered_clients_are_asked_to_come_back(collector: Collector) -> None:
    answer = await collector.post(event())
    ready = await collector.client.get("/readyz")

    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "starting", "5")
    assert (ready.status_code, ready.json()) == (503, {"status": "the schema registry is unreachable"})


async def test_metrics_are_exposed(collector: Collector) -> None:
    answer = await collector.client.get("/metrics")

    assert (answer.status_code, answer.text) == (200, "playhead_up 1\n")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
