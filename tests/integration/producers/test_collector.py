"""The collector against a real Kafka: what it accepts is stored, whatever happens to either of them."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from infra.engines.registry import Registry
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from producers.collector.examples import EXAMPLES
from schemas import codec
from schemas.events import DeadLetter, Playback
from schemas.framing import unframe
from schemas.topics import FAMILIES
from tests.integration.producers.conftest import WAIT_SECONDS, Collector, Tail, collecting
from tests.support.pipeline import PATIENCE_S


def now() -> int:
    return time.time_ns() // 1_000_000


def playback(member: str = "integration") -> dict[str, object]:
    return EXAMPLES["playback"] | {"event_id": str(uuid4()), "profile_id": member, "client_time": now()}


class Load:
    """Clients that send one event after the other and remember what they were promised."""

    def __init__(self, collector: Collector) -> None:
        self.accepted: set[str] = set()
        self.refused: list[httpx.Response] = []
        self.unanswered = 0
        self.stop = threading.Event()
        self._collector = collector
        self._many = threading.Semaphore(0)

    def await_accepted(self, count: int) -> None:
        for _ in range(count):
            assert self._many.acquire(timeout=PATIENCE_S)

    def send(self) -> None:
        while not self.stop.is_set():
            event = playback()
            try:
                answer = self._collector.post(event, sent_at=now())
            except httpx.TransportError:
                self.unanswered += 1
                self.stop.wait(0.05)
                continue
            if answer.status_code == 202 and answer.json()["accepted"] == 1:
                self.accepted.add(str(event["event_id"]))
                self._many.release()
            else:
                self.refused.append(answer)


@contextmanager
def load(collector: Collector, clients: int = 4) -> Iterator[Load]:
    running = Load(collector)
    threads = [threading.Thread(target=running.send) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        running.stop.set()
        for thread in threads:
            thread.join()


def stored_ids(tail: Tail) -> set[str]:
    events = (codec.decode("playback", unframe(record.value() or b"")[1]) for record in tail.records())
    return {event.event_id for event in events if isinstance(event, Playback)}


def test_what_is_accepted_is_in_its_topic_keyed_and_framed(stack: Settings, collector: Collector) -> None:
    tails = {family: Tail(stack, f"playhead.{family}") for family in FAMILIES}
    ids = Registry(stack).ids()
    before = now()

    answer = collector.post(*EXAMPLES.values(), sent_at=now())

    assert (answer.status_code, answer.json()) == (202, {"accepted": 6, "rejected": []})
    for family, tail in tails.items():
        [record] = tail.records()
        schema_id, datum = unframe(record.value() or b"")
        event = codec.decode(family, datum)
        assert schema_id == ids[family]
        assert record.key() == (EXAMPLES[family].get("profile_id") or EXAMPLES[family]["device_id"]).encode()
        assert before <= event.received_at <= now()  # type: ignore[union-attr]
        assert event.event_id == EXAMPLES[family]["event_id"]  # type: ignore[union-attr]


def test_what_is_refused_is_a_dead_letter_even_at_its_largest(stack: Settings, collector: Collector) -> None:
    tail = Tail(stack, "playhead.dead_letters")
    largest = bytes(2**20)

    one = collector.post({"family": "ui"}, sent_at=now())
    all_of_it = httpx.post(
        f"{collector.url}/v1/events?key=playhead-local",
        content=largest,
        headers={"Content-Type": "text/plain"},
        timeout=PATIENCE_S,
    )

    assert (one.status_code, all_of_it.status_code) == (400, 400)
    dead_letters = [codec.decode("dead_letter", unframe(record.value() or b"")[1]) for record in tail.records()]
    assert {dead_letter.error_class for dead_letter in dead_letters if isinstance(dead_letter, DeadLetter)} == {
        "missing",
        "malformed",
    }
    assert largest in [dead_letter.value for dead_letter in dead_letters if isinstance(dead_letter, DeadLetter)]


def test_told_to_stop_it_answers_what_it_took_and_keeps_every_promise(stack: Settings, collector: Collector) -> None:
    tail = Tail(stack, "playhead.playback")
    with load(collector) as clients:
        clients.await_accepted(50)
        collector.process.send_signal(signal.SIGTERM)
        assert collector.process.wait(PATIENCE_S) == 0

    assert clients.refused == []
    assert clients.accepted <= stored_ids(tail)


def test_without_kafka_it_asks_to_come_back_and_loses_nothing(
    stack: Settings, local_stack: Stack, collector: Collector
) -> None:
    tail = Tail(stack, "playhead.playback")
    event = playback()
    with load(collector) as clients:
        clients.await_accepted(50)
        local_stack.stop("kafka")
        try:
            collector.await_readiness(False)
            started = time.monotonic()
            answer = collector.post(event, sent_at=now())
            waited = time.monotonic() - started
        finally:
            local_stack.start("kafka")
        collector.await_readiness()
        clients.await_accepted(len(clients.accepted) - 50 + 20)

    again = collector.post(event, sent_at=now())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert waited > WAIT_SECONDS / 2
    assert {refused.status_code for refused in clients.refused} == {503}
    assert again.json() == {"accepted": 1, "rejected": []}
    assert clients.accepted | {str(event["event_id"])} <= stored_ids(tail)


def test_it_listens_while_the_registry_is_away_and_serves_once_it_is_there(
    stack: Settings, local_stack: Stack, tmp_path: Path
) -> None:
    local_stack.stop("registry")
    try:
        with collecting(stack, tmp_path) as running:
            running.await_readiness(ready=False)
            asked = running.post(playback(), sent_at=now())
            local_stack.start("registry")
            running.await_readiness()
            accepted = running.post(playback(), sent_at=now())
    finally:
        local_stack.start("registry")
    assert (asked.status_code, asked.json()["code"], asked.headers["Retry-After"]) == (503, "starting", "5")
    assert accepted.status_code == 202
    assert running.process.returncode == 0
