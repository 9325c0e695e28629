"""The whole pipeline under test: what was sent into it, and what each end of it holds."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from domain.clock import system_clock
from domain.history.reading import HistoryReader
from domain.lake.reading import read_objects, read_rows
from infra.engines.cassandra import close, connect
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local.loopback import PLAIN
from infra.local.stack import Stack
from infra.runtime.settings import LOCAL_KEY, Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from producers.ports import Message
from schemas.batch import BatchDecoder
from schemas.codec import decode
from schemas.errors import TransientError
from schemas.events import DeadLetter, Event, Playback, ViewingRecord
from schemas.framing import unframe
from schemas.topics import DEAD_LETTERS, TOPICS
from tests.support.builders import as_client
from tests.support.fake_metrics import FakeMetrics
from tests.support.oracle import Comparable, by_profile, expected_history

PATIENCE_S = 240.0
"""For whatever has to come to pass on a machine that two suites share: no test fails for its time."""
AWAY = "`playhead status` shows which processes run."
"""The end of the error message when a backend did not answer in time."""
ATTEMPTS = 3
Place = tuple[str, int, int]
"""Topic, partition, offset."""
T = TypeVar("T")


def playhead(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, on the test stack or with other settings."""
    return run_module("infra.cli", *arguments, **variables)


def run_module(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m command``. Repeat it a few times if a backend did not answer in time: the machine may be busy."""
    environment = os.environ | variables
    for _ in range(ATTEMPTS):
        done = subprocess.run(
            [sys.executable, "-m", *command], env=environment, capture_output=True, text=True, check=False
        )
        if AWAY not in done.stderr:
            break
    return done


@dataclass
class Pipeline:
    stack: Stack
    sent: list[Event] = field(default_factory=list)
    """The valid events that went in, repeats included."""

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    def send(self, messages: Iterable[Message], events: Iterable[Event]) -> None:
        """Records straight into Kafka; ``events``: the valid ones among them."""
        BulkProducer(self.settings).write(list(messages))
        self.sent += events

    def send_over_http(self, events: Sequence[Event]) -> None:
        """Through the collector, a hundred at a time; all must be accepted."""
        for start in range(0, len(events), 100):
            batch = events[start : start + 100]
            answer = self._post([as_client(event) for event in batch])
            assert answer.status_code == 202, answer.text
            assert answer.json() == {"accepted": len(batch), "rejected": []}
        self.sent += events

    def verdict(self, event: dict[str, Any]) -> tuple[str, str]:
        """Field and code for which the collector refuses this one event."""
        answer = self._post([event], dry_run="true")
        assert answer.status_code == 400, answer.text
        (rejected,) = answer.json()["rejected"]
        return rejected["field"], rejected["code"]

    def _post(self, events: list[dict[str, Any]], **query: str) -> httpx.Response:
        return httpx.post(
            f"{self.settings.collector_url}/v1/events",
            params=query,
            json={"sent_at": system_clock(), "events": events},
            headers={"Authorization": f"Bearer {LOCAL_KEY}"},
            timeout=PATIENCE_S,
            verify=PLAIN,
        )

    def drain(self) -> None:
        """Until every consumer group has committed all that is in Kafka."""
        done = playhead("drain", "--timeout", str(PATIENCE_S))
        assert done.returncode == 0, done.stderr

    def expected_histories(self) -> dict[str, dict[str, Comparable]]:
        return expected_history(event for event in self.sent if isinstance(event, Playback))

    def histories(self) -> dict[str, dict[str, Comparable]]:
        """Every profile's history that was ever sent, as Cassandra answers now."""
        profiles = {event.profile_id for event in self.sent if isinstance(event, Playback)}
        return by_profile(asyncio.run(self._read(profiles)))

    async def _read(self, profiles: set[str]) -> list[ViewingRecord]:
        session = connect(self.settings)
        try:
            reader = HistoryReader(LiveVH(session), CompressedVH(session), FakeMetrics())
            histories = await asyncio.gather(*map(reader.read_all, profiles))
        finally:
            await asyncio.to_thread(close, session)
        return [record for whole in histories for record in whole.records]

    def kafka(self) -> dict[Place, bytes | None]:
        return in_kafka(self.settings)

    def valid(self, records: dict[Place, bytes | None]) -> list[Place]:
        """The places of those records that keep the contract."""
        decoder = BatchDecoder(Registry(self.settings).resolve)
        found: list[Place] = []
        for topic in TOPICS.values():
            places = [place for place in records if place[0] == topic.name]
            bad = {one.index for one in decoder.decode(topic.record, [records[place] for place in places]).invalid}
            found += [place for index, place in enumerate(places) if index not in bad]
        return found

    def lake(self) -> list[Place]:
        """The place in Kafka of every row in the lake, as often as it is there."""
        store = ObjectStore(self.settings)
        return [
            (each.chain.topic, each.chain.partition, offset)
            for each in read_objects(store)
            for offset, _ in read_rows(each, store.get(each.key))
        ]


def in_kafka(settings: Settings) -> dict[Place, bytes | None]:
    """Every record of every topic."""
    log = TopicReader(settings)
    return {
        (topic, partition, offset): value
        for topic, _, partition, start, end in log.spans(TOPICS)
        for batch in log.read(topic, partition, start, end)
        for offset, value in batch
    }


def dead_letters(records: dict[Place, bytes | None]) -> dict[Place, DeadLetter]:
    """Of all records, the lake's letters by the place of the record that they are about; repeats count once."""
    letters = [
        decode(DEAD_LETTERS.record, unframe(value)[1])
        for (topic, _, _), value in records.items()
        if topic == DEAD_LETTERS.name and value
    ]
    return {
        (letter.topic or "", letter.partition or 0, letter.offset or 0): letter
        for letter in letters
        if isinstance(letter, DeadLetter) and letter.step == "lake"
    }


def eventually(condition: Callable[[], bool]) -> None:
    """Returns as soon as the condition holds; fails when that takes too long. No answer of an engine is: not yet.

    What is awaited needs the processor, too: it sleeps as long as the question took, and the longer the longer it has
    waited, up to a quarter of a second.
    """
    began = asked = time.monotonic()
    while not _holds(condition):
        now = time.monotonic()
        assert now < began + PATIENCE_S, f"still not true after {PATIENCE_S:g} s"
        time.sleep(max(0.02, now - asked, min(0.25, (now - began) / 30)))
        asked = time.monotonic()


def _holds(condition: Callable[[], bool]) -> bool:
    with suppress(TransientError):
        return condition()
    return False


def answered(ask: Callable[[], T]) -> T:
    """What an engine says, asked again while it does not answer."""
    patiently = Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_fixed(0.02),
        stop=stop_after_delay(PATIENCE_S),
        reraise=True,
    )
    return patiently(ask)


def get(address: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """However long it takes."""
    return httpx.get(address, headers=headers, timeout=PATIENCE_S, verify=PLAIN)
