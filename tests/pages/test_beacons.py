"""What a page in a real browser sends from another origin arrives, whatever the browser calls it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from domain.api_keys import hashed
from producers.collector.app import build_app
from producers.collector.authentication import Authentication
from producers.collector.byte_budget import ByteBudget
from producers.collector.examples import EXAMPLES, SENT_AT
from producers.collector.handler import EventsHandler
from schemas import codec
from schemas.events import Ui
from schemas.framing import unframe
from schemas.topics import FAMILIES
from tests.pages.browser import launched
from tests.support.fake_metrics import FakeMetrics
from tests.support.fakes import FakeLog
from tests.support.identity import verifier
from tests.support.pipeline import eventually

SEND = """async ({url, event, sentAt}) => {
  const id = (n) => `01972a3e-8c00-7000-8000-00000000000${n}`;
  const body = (n) => JSON.stringify({sent_at: sentAt, events: [{...event, event_id: id(n)}]});
  const bytes = (n) => new TextEncoder().encode(body(n));
  const gzip = await new Response(
    new Blob([body(4)]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
  const form = new FormData();
  form.append("data", body(6));
  const queued = [
    body(0), new Blob([body(1)]), bytes(2), new Blob([body(3)], {type: "application/json"}), gzip,
    new URLSearchParams({data: body(5)}), form,
  ].map((each) => navigator.sendBeacon(url, each));
  const answer = await fetch(url, {
    method: "POST", body: body(7), credentials: "include", keepalive: true,
    headers: {"Content-Type": "application/json", traceparent: "00-1-2-01", baggage: "a=b", "x-request-id": "7"},
  });
  return [queued, answer.status];
}"""


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def port(log: FakeLog) -> Iterator[int]:
    """A collector in a thread, on a fake Kafka."""
    ids = dict.fromkeys((*FAMILIES, "dead_letter"), 1)
    budget = ByteBudget(2**26, lambda _: None)
    authentication = Authentication({"page": hashed("secret")}, {}, verifier().verify)
    handler = EventsHandler(log, budget, authentication, ids, lambda: SENT_AT + 1_000, FakeMetrics(), 10.0)
    app = build_app(handler, lambda: False, lambda: b"")
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def test_every_kind_of_beacon_arrives(port: int, log: FakeLog) -> None:
    given: dict[str, Any] = {"url": f"http://127.0.0.1:{port}/v1/events?key=secret", "sentAt": SENT_AT}
    with sync_playwright() as playwright, launched(playwright) as browser:
        page = browser.new_page(bypass_csp=True)  # any page: this one's policy lets it speak to nobody
        page.goto(f"http://localhost:{port}/docs")  # another origin
        queued, status = page.evaluate(SEND, given | {"event": EXAMPLES["ui"]})
        eventually(lambda: len(log.stored) >= 8)

    events = [codec.decode("ui", unframe(message.value)[1]) for message in log.stored]
    assert (queued, status) == ([True] * 7, 202)
    assert {message.topic for message in log.stored} == {"playhead.ui"}
    assert sorted(event.event_id[-1] for event in events if isinstance(event, Ui)) == [*"01234567"]
