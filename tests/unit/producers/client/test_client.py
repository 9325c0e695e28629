"""A Python client: what is added arrives once, what finds no room is counted and reported."""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx
import pytest

from producers.client.client import Client, connected
from producers.client.sender import Rejected, Reply
from schemas.client_events import event_from_client
from schemas.errors import TransientError

NOW = 1_790_000_000_000
ENVELOPE = {"device_id": "my-tv", "device_type": "tv", "app_name": "tv", "app_version": "1.0", "country": "NL"}
UI = {"profile_id": "me", "action": "impression", "page": "home", "row": 0, "position": 0, "title_id": "ml-50"}
DIAGNOSTIC = {"name": "boot", "level": "info"}


class Collector:
    """Accepts everything, after the errors that it was given."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.requests: list[list[dict[str, Any]]] = []

    async def __call__(self, body: bytes) -> Reply:
        self.requests.append(json.loads(body)["events"])
        if self.errors:
            raise self.errors.pop(0)
        return Reply(202, {"accepted": 1, "rejected": []}, 0)


async def sent(client: Client, grace_s: float = 60) -> None:
    """The end of a client's life: everything is sent, or given up."""
    await client.close(grace_s)
    await asyncio.wait_for(client.run(), 60)


async def test_events_are_complete_and_go_in_one_request() -> None:
    collector = Collector()
    client = Client(collector, ENVELOPE, lambda: NOW)
    ids = [client.add("ui", **UI), client.add("diagnostic", **DIAGNOSTIC)]
    await sent(client)
    (request,) = collector.requests
    assert [event_from_client(event, NOW, NOW).event_id for event in request] == ids
    assert client.tally == {"sent": 2, "accepted": 2}


async def test_what_has_no_answer_is_sent_again_under_its_id() -> None:
    collector = Collector(TransientError("away"))
    client = Client(collector, ENVELOPE, lambda: NOW)
    event_id = client.add("ui", **UI)
    await sent(client)
    assert [[event["event_id"] for event in request] for request in collector.requests] == [[event_id], [event_id]]


async def test_at_the_end_of_its_grace_the_rest_is_counted_as_unanswered() -> None:
    client = Client(Collector(*[TransientError("away")] * 99), ENVELOPE, lambda: NOW)
    client.add("ui", **UI)
    await sent(client, grace_s=0)
    assert client.tally["unanswered"] == 1


async def test_more_than_a_request_holds_goes_in_several() -> None:
    collector = Collector()
    client = Client(collector, ENVELOPE, lambda: NOW)
    ids = [client.add("ui", **UI) for _ in range(450)]
    await sent(client)
    assert [len(request) for request in collector.requests] == [200, 200, 50]
    assert [event["event_id"] for request in collector.requests for event in request] == ids


async def test_a_full_queue_drops_the_least_important_and_says_exactly_how_many() -> None:
    collector = Collector()
    client = Client(collector, ENVELOPE, lambda: NOW, max_bytes=20_000)
    added = Counter[str]()
    for _ in range(60):
        for family, fields in (("ui", UI), ("diagnostic", DIAGNOSTIC)):
            client.add(family, **fields)
            added[family] += 1
    await sent(client)
    arrived = [event for request in collector.requests for event in request]
    reports = [event for event in arrived if event.get("name") == "events_dropped"]
    assert [report["fields"] for report in reports] == [{"ui": str(client.dropped["ui"])}]
    assert client.dropped == {"ui": added["ui"] - sum(event["family"] == "ui" for event in arrived)}
    assert sum(event.get("name") == "boot" for event in arrived) == added["diagnostic"]


async def test_drops_after_a_report_has_left_are_in_another() -> None:
    collector = Collector()
    client = Client(collector, ENVELOPE, lambda: NOW, max_bytes=600)
    reported = 0
    for _ in range(2):
        for _ in range(5):
            client.add("ui", **UI)
        await sent(client)
    for request in collector.requests:
        reported += sum(int(event["fields"]["ui"]) for event in request if event["family"] == "diagnostic")
    assert reported == client.dropped["ui"] == 10 - client.tally["accepted"] + len(collector.requests)


async def test_a_client_that_is_refused_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"code": "unauthorized", "message": "Send a valid key."})

    http = httpx.AsyncClient(base_url="http://collector", transport=httpx.MockTransport(refuse))
    monkeypatch.setattr(httpx, "AsyncClient", lambda **_: http)
    with pytest.raises(Rejected, match=r"401: Send a valid key"):
        async with connected("http://collector", "wrong", ENVELOPE) as client:
            client.add("ui", **UI)


async def test_events_wait_for_a_token_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        tried.append((token, json.loads(request.content)["events"][0]["event_id"]))
        if token == "old":
            return httpx.Response(401, json={"code": "expired_token", "message": "Refresh the token."})
        return httpx.Response(202, json={"accepted": 1, "rejected": []})

    async def token() -> str:
        given = tokens.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    tokens: list[str | Exception] = ["old", httpx.ConnectError("nobody signs tokens"), "new"]
    http = httpx.AsyncClient(base_url="http://collector", transport=httpx.MockTransport(answer))
    monkeypatch.setattr(httpx, "AsyncClient", lambda **_: http)
    async with connected("http://collector", token, ENVELOPE) as client:
        event_id = client.add("ui", **UI)
    assert tried == [("old", event_id), ("new", event_id)]
    assert client.tally["accepted"] == 1
    assert tokens == []
