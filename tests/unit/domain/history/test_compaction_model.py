"""Compaction at any point of any order of events gives the same history as none.

The real compactor and the real reader run on fakes. Their calls to the stores are interleaved at random with events,
late ones and replays; compactors are killed between any two of them, calls fail with or without an effect, or take
effect long after they failed for their caller. Clocks of compactors differ. Clients' clocks are wrong by years and by
hours, and are set back and forth within a session.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from random import Random

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.history import live, turns, versions
from domain.history.chunks import split
from domain.history.chunks.chunk import encode
from domain.history.compaction import Compactor
from domain.history.merge import merge
from domain.history.reading import HistoryReader
from domain.history.rollup import RollUpRules
from domain.history.versions import position
from domain.metrics import UNREADABLE_CHUNKS
from schemas.errors import TooManyDeletions, TransientError
from schemas.events import DAY_MS, ViewingRecord
from tests.support.builders import T0, viewing_record
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.support.fake_metrics import FakeMetrics
from tests.support.soak import repeat
from tests.unit.domain.history.scheduler import Call, Fate, Interleaving, done

pytestmark = pytest.mark.soak

PROFILE = "ml-1"
RULES = RollUpRules(keep_live=1, timeout_ms=3_600_000, chunk_bytes=350, max_live=2)
MINUTE = 60_000
DAYS_WRONG = (0, 0, 3, -30, -2_500)
ZONES_WRONG_MS = (0, 5 * 60 * MINUTE, -570 * MINUTE)
SKEWS = (-10_000, 0, 10_000)
GO: Fate = "go"
FATES: tuple[Fate, ...] = (*[GO] * 12, "kill", "refuse", "lose the answer", "come later")
seeds = st.integers(0, 2**32)


def record(session: int, seq: int, now: int = T0) -> ViewingRecord:
    """Sessions of one member; every other state is a final one.

    Some ids are not UUIDv7. The client's clock moves by whole days between two events and is always in the same time
    zone, right or wrong; the corrected start differs by the way of each request.
    """
    began, wrong_by = T0 + session * MINUTE, DAYS_WRONG[(3 * session + seq) % len(DAYS_WRONG)] * DAY_MS
    return viewing_record(
        profile_id=PROFILE,
        playback_session_id=f"018bcfe5-6800-{4 if session % 4 == 3 else 7}000-8000-{session:012d}",
        session_started_at=began + wrong_by + ZONES_WRONG_MS[session % len(ZONES_WRONG_MS)],
        start_time=began + (now // 1000 + 37 * seq) % 90 * 1000,
        seq=seq,
        received_at=now,
        event_time=now,
        playhead_ms=session * 1000 + seq,
        event_type="stopped" if seq % 2 else "heartbeat",
    )


class Compaction(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.now = T0
        self.live = FakeLiveVH(most_deletions=2)  # as many as are between two milestones
        self.compressed = FakeCompressedVH()
        self.metrics = FakeMetrics()
        self.between = Interleaving(self._unanswered)
        self.written: list[ViewingRecord] = []
        self.actors = 0

    @rule(sessions=st.lists(st.integers(0, 11), min_size=1, max_size=6), seq=st.integers(0, 9))
    def watch(self, sessions: list[int], seq: int) -> None:
        """Events arrive, on time or late; those that came before change nothing."""
        self._store([record(session, seq, self.now) for session in sessions])

    @rule(share=st.floats(0, 1))
    def replay(self, share: float) -> None:
        """Kafka is read again from some point on."""
        self._store(self.written[int(len(self.written) * share) :])

    @rule()
    def let_an_hour_pass(self) -> None:
        self.now += 3_600_001

    @rule()
    def let_gc_grace_pass(self) -> None:
        """Deletes are forgotten; an older state that is replayed now shows up in LiveVH again."""
        self.live.forget_deletions()
        self.compressed.deleted.clear()

    @rule(skew=st.sampled_from(SKEWS))
    def compact(self, skew: int) -> None:
        if len(self.between.running("compactor")) >= 3:
            return
        actor = self._name("compactor")
        compactor = Compactor(
            live=self.between.through(actor, self.live),
            compressed=self.between.through(actor, self.compressed),
            metrics=self.metrics,
            rules=RULES,
            now=lambda: self.now + skew,
            wait=_at_once,
        )

        async def work() -> None:
            with suppress(TransientError):
                await compactor.compact(PROFILE)

        self.between.start(actor, work())

    @rule(limit=st.none() | st.integers(1, 6))
    def read(self, limit: int | None) -> None:
        """The whole history at once, or page by page."""
        self._read(lambda reader: _pages(reader, limit) if limit else _whole(reader))

    @rule(limit=st.integers(1, 12), since=st.none() | st.integers(0, 11))
    def read_recent(self, limit: int, since: int | None) -> None:
        """The newest sessions: at most ``limit``, and since some moment."""
        started_at = None if since is None else T0 + since * MINUTE
        self._read(lambda reader: _recent(reader, limit, started_at), limit, started_at)

    def _read(
        self,
        ask: Callable[[HistoryReader], Awaitable[list[ViewingRecord] | None]],
        limit: int | None = None,
        since: int | None = None,
    ) -> None:
        if len(self.between.running("reader")) >= 3:
            return
        actor = self._name("reader")
        reader = HistoryReader(
            self.between.through(actor, self.live), self.between.through(actor, self.compressed), self.metrics
        )
        known = merge(self.written)

        async def work() -> None:
            with suppress(TransientError):
                found = await ask(reader)
                if found is not None:
                    self._check(found, _within(known, found, limit, since))

        self.between.start(actor, work())

    @rule(choice=st.integers(0, 9), calls=st.integers(1, 9), fate=st.sampled_from(FATES))
    def let_one_through(self, choice: int, calls: int, fate: Fate) -> None:
        """One of the waiting actors makes this many calls; the last one has this fate."""
        waiting = sorted({call.actor for call in self.between.calls})
        if waiting:
            actor = waiting[choice % len(waiting)]
            for _ in range(calls - 1):
                self.between.let_through(actor, choice)
            self.between.let_through(actor, choice, "refuse" if fate != "go" and actor.startswith("reader") else fate)

    @rule(choice=st.integers(0, 9))
    def a_late_call_comes(self, choice: int) -> None:
        if self.between.later:
            self.between.arrive(choice)

    @rule(seed=seeds)
    def bustle(self, seed: int) -> None:
        """Many of the above at random: most faults need several compactions and readers at once."""
        random = Random(seed)
        for _ in range(120):
            match random.randrange(21):
                case 0 | 1 | 2:
                    first = random.randrange(12)
                    self.watch([*range(first, min(12, first + random.randint(1, 5)))], random.randrange(10))
                case 3 if random.random() < 0.5:
                    self.replay(random.random())
                case 3:
                    self.let_an_hour_pass()
                case 4 if random.random() < 0.5:
                    self.let_gc_grace_pass()
                case 5 | 6:
                    self.compact(random.choice(SKEWS))
                case 7 | 8 | 9:
                    self.read(random.choice((None, None, 1, 3)))
                case 10:
                    self.read_recent(random.randint(1, 12), random.choice((None, random.randrange(12))))
                case 11:
                    self.a_late_call_comes(random.randrange(10))
                case _:
                    self.let_one_through(random.randrange(10), random.randint(1, 9), random.choice(FATES))
            self.every_listed_chunk_is_there()

    @invariant()
    def every_listed_chunk_is_there(self) -> None:
        if metadata := self.compressed.decided.get(PROFILE):
            assert all(chunk.body or (PROFILE, chunk.id) in self.compressed.bodies for chunk in metadata.chunks)
            places = [place for chunk in metadata.chunks for place in (chunk.first, chunk.last)]
            assert places == sorted(places)
            assert self.metrics.total(UNREADABLE_CHUNKS) == 0

    def teardown(self) -> None:
        if not hasattr(self, "between"):
            return
        self.between.finish()
        while self.between.later:
            self.between.arrive(0)
        self.now += 100_000_000
        self._store([record(session, 11, self.now) for session in (20, 21)])  # so that there is something to publish
        self.compact(0)
        self.between.finish()
        listed = {chunk.id for chunk in self.compressed.decided[PROFILE].chunks if not chunk.body}
        assert {chunk for _, chunk in self.compressed.bodies} == listed
        assert len(self.live.rows[PROFILE]) == RULES.keep_live
        self.read(None)
        self.read_recent(3, None)
        self.between.finish()
        self.between.close()

    def _store(self, records: list[ViewingRecord]) -> None:
        self.live._store(records)
        self.written += records

    def _unanswered(self, call: Call) -> None:
        if call.method.__name__ == "publish":  # decided, but no ordinary read need show it yet
            self.compressed.decide(*call.arguments)
        else:
            with suppress(TooManyDeletions):
                done(call.method(*call.arguments))

    def _name(self, kind: str) -> str:
        self.actors += 1
        return f"{kind} {self.actors}"

    def _check(self, found: list[ViewingRecord], known: list[ViewingRecord]) -> None:
        """All that was known when the reader began, nothing twice, nothing that was never written."""
        sessions = [one.playback_session_id for one in found]
        assert len(sessions) == len(set(sessions))
        assert found == sorted(found, key=position, reverse=True)
        states = {one.playback_session_id: one.seq for one in found}
        assert {one.playback_session_id for one in known if states.get(one.playback_session_id, -1) < one.seq} == set()
        assert {_content(one) for one in found} <= {_content(one) for one in self.written}


async def _whole(reader: HistoryReader) -> list[ViewingRecord] | None:
    found = await reader.read_all(PROFILE)
    return found.records if found.complete else None


async def _pages(reader: HistoryReader, limit: int) -> list[ViewingRecord] | None:
    records: list[ViewingRecord] = []
    cursor = None
    while True:
        page = await reader.page(PROFILE, limit, cursor)
        assert len(page.items) <= limit
        if not page.complete:
            return None
        records += page.items
        if (cursor := page.next_cursor) is None:
            return records


async def _recent(reader: HistoryReader, limit: int, since: int | None) -> list[ViewingRecord] | None:
    found = await reader.read_recent(PROFILE, limit, since)
    assert len(found.records) <= limit
    assert since is None or all(one.listed_at >= since for one in found.records)
    return found.records if found.complete else None


def _within(
    known: list[ViewingRecord], found: list[ViewingRecord], limit: int | None, since: int | None
) -> list[ViewingRecord]:
    """The known states that a bounded read must not miss: since the moment, and down to the end of a full answer."""
    end = position(found[-1]) if limit is not None and len(found) == limit else (0, "")
    return [one for one in known if position(one) >= end and one.listed_at >= (since or 0)]


async def _at_once(_: float) -> None: ...


def _content(one: ViewingRecord) -> ViewingRecord:
    """Without what differs from one delivery of an event to the next."""
    return msgspec.structs.replace(one, received_at=0, event_time=0, start_time=None)


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read waits for as long as the schedule says. On a busy machine that may be seconds."""
    monkeypatch.setattr(turns, "READ_SECONDS", 3_600)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compactions, events and replays come between the parts of one read."""
    monkeypatch.setattr(live, "PART", 2)


@pytest.fixture(autouse=True)
def _quick_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same few chunks are encoded and decoded again and again."""
    encoded = cache(encode)
    monkeypatch.setattr(split, "encode", lambda records: encoded(tuple(records)))
    for name in ("decode", "decode_for_rewriting"):
        monkeypatch.setattr(versions, name, cache(getattr(versions, name)))


TestCompaction = Compaction.TestCase
TestCompaction.settings = settings(max_examples=repeat(25, soak=10_000), stateful_step_count=6)
