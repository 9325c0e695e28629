"""A client keeps an event until it has an answer, and sends it again under its id."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from producers.client.sender import HttpPost, PendingEvent, Rejected, Reply, Sender
from producers.simulator.client_log import ClientLog
from schemas.errors import TransientError

NOW = 1_790_000_000_000


class Collector:
    """Answers from a list, keeps what it was sent."""

    def __init__(self, *answers: Reply | TransientError) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []
        self.asked = asyncio.Event()

    async def __call__(self, body: bytes) -> Reply:
        self.bodies.append(json.loads(body))
        self.asked.set()
        answer = self.answers.pop(0) if self.answers else accepted()
        if isinstance(answer, TransientError):
            raise answer
        return answer

    @property
    def ids(self) -> list[list[str]]:
        return [[event["event_id"] for event in body["events"]] for body in self.bodies]


def accepted(*rejected: dict[str, Any], status: int = 202) -> Reply:
    return Reply(status, {"accepted": 1, "rejected": list(rejected)}, 0)


def verdict(index: int, code: str, field: str | None = None) -> dict[str, Any]:
    return {"index": index, "event_id": "whatever", "field": field, "code": code, "message": "…"}


def event(event_id: str, clock_ahead_ms: int = 0) -> PendingEvent:
    return PendingEvent(event_id, "playback", clock_ahead_ms, {"family": "playback", "event_id": event_id})


class Sent:
    def __init__(self, tmp_path: Path, collector: Collector) -> None:
        self.path = tmp_path / "live.jsonl"
        self.collector = collector
        self.give_up = asyncio.Event()

    async def send(self, *events: PendingEvent) -> list[tuple[str, str]]:
        with ClientLog(self.path) as log:
            sender = Sender(self.collector, log.note, lambda: NOW, self.give_up)
            await sender.send(events)
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [(line["event_id"], line["outcome"]) for line in lines if line["outcome"] != "sent"]


async def test_each_event_gets_its_outcome(tmp_path: Path) -> None:
    collector = Collector(accepted(verdict(1, "out_of_range", "seq")))
    outcomes = await Sent(tmp_path, collector).send(event("a"), event("b"), event("c"))
    assert outcomes == [("a", "accepted"), ("c", "accepted"), ("b", "refused")]
    assert '"field":"seq"' in (tmp_path / "live.jsonl").read_text()


async def test_it_is_logged_as_sent_before_it_is(tmp_path: Path) -> None:
    class Looking(Collector):
        async def __call__(self, body: bytes) -> Reply:
            assert '"sent"' in (tmp_path / "live.jsonl").read_text()
            return await super().__call__(body)

    assert await Sent(tmp_path, Looking()).send(event("a")) == [("a", "accepted")]


@pytest.mark.parametrize("answer", [Reply(503, {}, 0), Reply(429, {}, 0), TransientError("timed out")])
async def test_no_answer_and_503_are_sent_again_under_the_same_ids(
    tmp_path: Path, answer: Reply | TransientError
) -> None:
    collector = Collector(answer)
    assert await Sent(tmp_path, collector).send(event("a"), event("b")) == [("a", "accepted"), ("b", "accepted")]
    assert collector.ids == [["a", "b"], ["a", "b"]]


async def test_only_what_is_unsettled_is_sent_again(tmp_path: Path) -> None:
    collector = Collector(accepted(verdict(1, "unknown"), verdict(2, "not_stored")))
    outcomes = await Sent(tmp_path, collector).send(event("a"), event("b"), event("c"))
    assert outcomes == [("a", "accepted"), ("b", "accepted"), ("c", "accepted")]
    assert collector.ids == [["a", "b", "c"], ["b", "c"]]


async def test_a_wholly_refused_request_is_final(tmp_path: Path) -> None:
    collector = Collector(accepted(verdict(0, "empty", "title_id"), status=400))
    assert await Sent(tmp_path, collector).send(event("a")) == [("a", "refused")]
    assert collector.ids == [["a"]]


async def test_retry_after_is_honoured_until_it_is_time_to_give_up(tmp_path: Path) -> None:
    collector = Collector(Reply(503, {}, 3600))
    sent = Sent(tmp_path, collector)
    sending = asyncio.create_task(sent.send(event("a")))
    await collector.asked.wait()
    collector.answers.append(Reply(503, {}, 3600))
    sent.give_up.set()
    assert await sending == [("a", "unanswered")]
    assert collector.ids == [["a"], ["a"]]


NO_SUCH_KEY = Reply(401, {"code": "unauthorized", "message": "no such key"}, 0)


async def test_a_client_that_was_never_wanted_stops(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"401: no such key"):
        await Sent(tmp_path, Collector(NO_SUCH_KEY)).send(event("a"))


async def test_a_key_that_was_right_may_be_right_again(tmp_path: Path) -> None:
    collector = Collector(accepted(), NO_SUCH_KEY)
    events = [event(str(n)) for n in range(201)]
    assert len(await Sent(tmp_path, collector).send(*events)) == 201
    assert [len(ids) for ids in collector.ids] == [200, 1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404, {"message": "no route"}, 0),
        Reply(403, {"message": "a proxy's"}, 0),
        Reply(408, {"code": "body_timeout", "message": "The body took longer than 20 s."}, 0),
        Reply(413, {"code": "body_too_large", "message": "a proxy's limit"}, 0),
        Reply(200, {"status": "somebody else's"}, 0),
    ],
)
async def test_what_no_collector_judged_waits(tmp_path: Path, answer: Reply) -> None:
    collector = Collector(answer)
    assert await Sent(tmp_path, collector).send(event("a")) == [("a", "accepted")]
    assert collector.ids == [["a"], ["a"]]


async def test_requests_are_bounded_and_of_one_clock(tmp_path: Path) -> None:
    collector = Collector()
    events = [event(str(n)) for n in range(450)] + [event("ahead", clock_ahead_ms=5_000)]
    assert len(await Sent(tmp_path, collector).send(*events)) == 451
    assert [len(ids) for ids in collector.ids] == [200, 200, 50, 1]
    assert [body["sent_at"] - NOW for body in collector.bodies] == [0, 0, 0, 5_000]


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("5", 5), ("31536000", 600), ("9" * 5000, 600), ("Fri, 31 Dec 2027 23:59:59 GMT", 0), ("-1", 0)],
)
async def test_answers_are_read_as_the_collector_means_them(asked: str, seconds: float) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer my-key"
        return httpx.Response(503, json={"code": "away"}, headers={"Retry-After": asked})

    async with httpx.AsyncClient(base_url="http://collector", transport=httpx.MockTransport(answer)) as client:
        assert await HttpPost(client, "my-key")(b"{}") == Reply(503, {"code": "away"}, seconds)


@pytest.mark.parametrize(
    "page",
    [
        httpx.ConnectError("refused"),
        httpx.DecodingError("not gzip"),
        httpx.Response(200, text="<html>"),
    ],
)
async def test_no_answer_and_somebody_elses_are_transient(page: httpx.Response | httpx.RequestError) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        if isinstance(page, httpx.RequestError):
            raise page
        return page

    async with httpx.AsyncClient(base_url="http://collector", transport=httpx.MockTransport(answer)) as client:
        with pytest.raises(TransientError):
            await HttpPost(client, "my-key")(b"{}")
