"""Two sinks on one partition, killed and failing at any step, still store each record exactly once.

The real sink runs on a fake log and a fake store. Around each effect of a sink it may die, the effect may seem to
fail, or the other sink may take a step: all that the two share are the store, the commits and the dead letters.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from unittest.mock import patch

import pytest
import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.lake import batching
from domain.lake.batching import FlushLimits
from domain.lake.keys import Chain
from domain.lake.reading import read_objects, read_rows
from schemas.errors import TransientError
from schemas.events import DeadLetter
from streams.lake_sink.sink import Sink
from tests.support.fake_kafka import FakeKafka, FakeLakeLog
from tests.support.fakes import FakeObjectStore
from tests.support.lake_chains import find_holes
from tests.support.soak import repeat
from tests.unit.streams.lake_sink.fixtures import AT, INVALID, TOPIC, payload, sink

pytestmark = pytest.mark.soak

R = TypeVar("R")
FATES = ("die before", "die after", "fail before", "fail after", "let the other step", "recreate the topic")
scripts = st.lists(st.sampled_from((*FATES, *["go on"] * 12)), max_size=10)
numbers = st.sampled_from((0, 1))
SIZES = (5, 2)
"""Records in a sink's objects: different, so that the two seldom agree on where one ends."""


class Died(BaseException):
    """SIGKILL, as the model knows it."""


class TwoSinks(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now = 0
        self.kafka = FakeKafka()
        self.kafka.create(TOPIC)
        self.store = FakeObjectStore()
        self.expected: dict[str, list[bytes]] = {"id-1": []}
        """Payloads by topic id: all that the log ever held."""
        self.sinks = [self._start(0), self._start(1)]
        self.scripts: list[list[str]] = [[], []]

    def _start(self, number: int) -> Sink:
        log = Log(self, number)
        log.assign(AT)
        limits = FlushLimits(SIZES[number], 2**20, 10)
        return sink(log, Store(self, number), DeadLetterTopic(self, number), now=lambda: self.now, limits=limits)

    def around(self, number: int, effect: Callable[[], R]) -> R:
        fate = self.scripts[number].pop(0) if self.scripts[number] else "go on"
        if fate == "die before":
            raise Died
        if fate == "fail before":
            raise TransientError("never got there")
        if fate == "let the other step":
            self._step(1 - number)
        if fate == "recreate the topic":
            self.recreate_the_topic()
        result = effect()
        if fate == "die after":
            raise Died
        if fate == "fail after":
            raise TransientError("the answer was lost")
        return result

    def _step(self, number: int, act: Callable[[Sink], None] = Sink.step) -> None:
        try:
            act(self.sinks[number])
        except Died:
            self.sinks[number] = self._start(number)

    @rule(number=numbers, script=scripts)
    def step(self, number: int, script: list[str]) -> None:
        self.scripts[number] = script
        self._step(number)
        self.scripts[number] = []

    @rule(number=numbers, script=scripts)
    def stop_and_start(self, number: int, script: list[str]) -> None:
        self.scripts[number] = script
        self._step(number, Sink.drain)
        self.scripts[number] = []
        self.sinks[number] = self._start(number)

    @rule(kinds=st.lists(st.sampled_from(("old", "new", "invalid")), min_size=1, max_size=7))
    def produce(self, kinds: list[str]) -> None:
        held = self.expected[self.topic_id]
        for kind in kinds:
            n = len(held)
            held.append(INVALID if kind == "invalid" else payload(n, schema_id=1 if kind == "old" else 2))
            self.kafka.append(AT, held[-1], now=self.now)

    @rule()
    def let_time_pass(self) -> None:
        self.now += 20_000

    @rule()
    def lose_the_commits(self) -> None:
        self.kafka.commits.clear()

    @rule(share=st.sampled_from((0.5, 1)))
    def expire(self, share: float) -> None:
        self.kafka.expire(AT, int(len(self.expected[self.topic_id]) * share))

    @rule()
    def recreate_the_topic(self) -> None:
        self.expected[self.kafka.create(TOPIC).topic_id] = []

    @property
    def topic_id(self) -> str:
        return self.kafka.topics[TOPIC].topic_id

    @invariant()
    def the_chains_hold_together(self) -> None:
        assert find_holes(read_objects(self.store)) == []

    @invariant()
    def every_row_is_the_record_of_its_offset(self) -> None:
        for stored in read_objects(self.store):
            rows = dict(read_rows(stored, self.store.get(stored.key)))
            held = self.expected[stored.chain.topic_id]
            if stored.kind == "gap":
                assert rows == {}
            else:
                valid = [offset for offset in range(stored.start, stored.end) if held[offset] != INVALID]
                assert {offset: row["n"] for offset, row in rows.items()} == {offset: offset for offset in valid}

    @invariant()
    def every_invalid_record_that_the_lake_passed_is_a_dead_letter(self) -> None:
        dead_letters = {
            (dead_letter.topic_id, dead_letter.offset): dead_letter for dead_letter in self.kafka.dead_letters
        }
        for stored in read_objects(self.store):
            for offset in range(stored.start, stored.end if stored.kind == "data" else stored.start):
                if self.expected[stored.chain.topic_id][offset] == INVALID:
                    assert dead_letters[stored.chain.topic_id, offset].value == INVALID
        ids = {each.dead_letter_id for each in self.kafka.dead_letters}
        assert len(ids) == len(dead_letters), "a repeat has the same id"

    def teardown(self) -> None:
        if not hasattr(self, "sinks"):
            return
        self.scripts = [[], []]
        for number in (0, 1):
            self.produce(["old", "new", "invalid", "old"])
            self._catch_up(number)

    def _catch_up(self, number: int) -> None:
        for _ in range(10 + len(self.expected[self.topic_id])):
            self.now += 20_000
            self._step(number)
        self.the_chains_hold_together()
        self.every_row_is_the_record_of_its_offset()
        self.every_invalid_record_that_the_lake_passed_is_a_dead_letter()
        ends = [stored.end for stored in read_objects(self.store, Chain(TOPIC, self.topic_id, 0))]
        assert max(ends) == len(self.expected[self.topic_id])
        assert self.sinks[number].halted == []


class Log(FakeLakeLog):
    def __init__(self, machine: TwoSinks, number: int) -> None:
        super().__init__(machine.kafka, fetch=SIZES[number])
        self.machine, self.number = machine, number

    def bounds(self, partition: tuple[str, int]) -> tuple[int, int]:
        return self.machine.around(self.number, lambda: FakeLakeLog.bounds(self, partition))

    def topic_ids(self) -> dict[str, str]:
        return self.machine.around(self.number, lambda: FakeLakeLog.topic_ids(self))

    def commit(self, partition: tuple[str, int], position: int, newest_object: int) -> None:
        try:
            self.machine.around(self.number, lambda: FakeLakeLog.commit(self, partition, position, newest_object))
        except TransientError:
            return  # a commit is a hint; the adapter raises nothing


class Store(FakeObjectStore):
    def __init__(self, machine: TwoSinks, number: int) -> None:
        self.objects = machine.store.objects
        self.machine, self.number = machine, number

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        return self.machine.around(self.number, lambda: FakeObjectStore.put_if_absent(self, key, body, metadata))

    def head(self, key: str) -> dict[str, str]:
        return self.machine.around(self.number, lambda: FakeObjectStore.head(self, key))


class DeadLetterTopic:
    def __init__(self, machine: TwoSinks, number: int) -> None:
        self.machine, self.number = machine, number

    def publish(self, dead_letters: Sequence[DeadLetter]) -> None:
        self.machine.around(self.number, lambda: self.machine.kafka.publish(dead_letters))


def test_each_record_is_stored_exactly_once() -> None:
    with patch.object(batching, "LONG_RUN", 2), structlog.testing.capture_logs():
        case = TwoSinks.TestCase
        case.settings = settings(max_examples=repeat(60, soak=2_000), stateful_step_count=40)
        case().runTest()
