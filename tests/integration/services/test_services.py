"""Both services on real engines: what Kafka, Cassandra and the lake hold comes out as JSON."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from domain.clock import system_clock
from domain.titles.catalogue import CATALOGUE_KEY
from infra.engines.cassandra import close, connect
from infra.engines.kafka.monitor import KafkaMonitor
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.history_cassandra import LiveVH
from infra.stores.support_cassandra import SupportWriter
from schemas.codec import encode
from schemas.events import Playback, ViewingRecord
from schemas.framing import frame
from schemas.topics import EVENT_TOPICS
from tests.support.builders import member_error, playback, session_report, viewing_record
from tests.support.identity import member_headers
from tests.support.pipeline import PATIENCE_S, get

TOPIC = EVENT_TOPICS["playback"].name
MEMBER = "services-1"
eventually = retry(
    retry=retry_if_exception_type((AssertionError, httpx.TransportError)),
    stop=stop_after_delay(PATIENCE_S),
    wait=wait_fixed(0.2),
    reraise=True,
)


def produce(settings: Settings, *events: Playback) -> None:
    schema_id = Registry(settings).ids()["playback"]
    records = [(TOPIC, event.profile_id.encode(), frame(schema_id, encode(event))) for event in events]
    BulkProducer(settings).write([*records, (TOPIC, MEMBER.encode(), b"not a record")])


def store(settings: Settings, record: ViewingRecord) -> None:
    session = connect(settings)
    asyncio.run(LiveVH(session).write([record]))
    asyncio.run(SupportWriter(session).save_reports([session_report(MEMBER, received_at=record.received_at)]))
    asyncio.run(SupportWriter(session).save_errors([member_error(profile_id=MEMBER)]))
    close(session)


def test_kafka_is_watched_from_outside(stack: Settings) -> None:
    watch = KafkaMonitor(stack, Registry(stack))
    before = sum(end for (topic, _), end in watch.offsets()[1].items() if topic == TOPIC)
    now = system_clock()
    events = [playback(profile_id=MEMBER, seq=seq, received_at=now) for seq in range(5)]
    produce(stack, *events)
    starts, ends = watch.offsets()
    assert starts.keys() == ends.keys()
    assert sum(end for (topic, _), end in ends.items() if topic == TOPIC) == before + 6
    newest = [record for _, record in watch.newest(TOPIC, 4)]
    assert [r.seq for r in newest if isinstance(r, Playback) and r.profile_id == MEMBER] == [4, 3, 2], (
        "one is unreadable"
    )
    assert watch.committed("playhead.nobody", ends) == {}
    assert "/" not in "".join(watch.topic_ids().values())
    watch.close()


def test_what_the_engines_hold_is_on_the_pages_and_in_the_api(
    stack: Settings, start_workers: Callable[..., None]
) -> None:
    ObjectStore(stack).put(CATALOGUE_KEY, b'{"title_id": "ml-50", "name": "Star Wars", "year": 1977}\n')
    start_workers("history-api", "ops")
    now = system_clock()
    event = playback(profile_id=MEMBER, seq=7, received_at=now, playhead_ms=1_200_000)
    produce(stack, event)

    @eventually
    def live(stored: bool) -> dict[str, Any]:
        document: dict[str, Any] = get(f"{stack.ops_url}/v1/live").json()
        assert all(source["error"] is None for source in document["sources"])
        writes = [(each["title"], each["stored"]) for each in document["writes"] if each["profile_id"] == MEMBER]
        assert writes == [("Star Wars", stored)]
        return document

    live(False)

    @eventually
    def no_ledger_has_run() -> None:
        ledger = live(False)["ledger"]
        assert ledger is not None
        (topic,) = [topic for topic in ledger["topics"] if topic["topic"] == TOPIC]
        assert topic["kafka"] >= topic["waiting"] > 0
        assert topic["differing"] == 0

    no_ledger_has_run()
    store(stack, viewing_record(profile_id=MEMBER, seq=7, received_at=now, playhead_ms=1_200_000))
    live(True)

    profile = f"{stack.history_url}/v1/profiles/{MEMBER}"
    token = member_headers(stack, MEMBER)
    (session,) = get(f"{profile}/viewing-history", token).json()["items"]
    assert (session["title"]["name"], session["bookmark_ms"]) == ("Star Wars", 1_200_000)
    (bookmark,) = get(f"{profile}/continue-watching", token).json()["items"]
    assert bookmark["progress"] == 0.2
    (session,) = get(f"{stack.ops_url}/v1/profiles/{MEMBER}/support").json()["sessions"]
    assert (session["outcome"], [each["code"] for each in session["errors"]]) == ("open", ["DRM_6001"])
    assert MEMBER in get(f"{stack.ops_url}/members").text
    assert get(f"{stack.history_url}/readyz").json() == {"status": "ready"}


def test_the_history_api_answers_while_the_pages_are_dead(
    local_stack: Stack, start_workers: Callable[..., None]
) -> None:
    store(local_stack.settings, viewing_record(profile_id=MEMBER, received_at=system_clock()))
    start_workers("history-api", "ops")
    history, ops = local_stack.pid("history-api"), local_stack.pid("ops")
    os.kill(ops, signal.SIGKILL)
    token = member_headers(local_stack.settings, MEMBER)
    answer = get(f"{local_stack.settings.history_url}/v1/profiles/{MEMBER}/continue-watching", token)
    assert answer.json()["items"][0]["title"]["id"] == "ml-50"

    @eventually
    def it_is_started_again() -> None:
        assert get(f"{local_stack.settings.ops_url}/readyz").json() == {"status": "ready"}
        assert local_stack.pid("ops") != ops

    it_is_started_again()
    assert local_stack.pid("history-api") == history
