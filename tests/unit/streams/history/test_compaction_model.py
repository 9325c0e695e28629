"""Compaction at any point of any order of events gives the same history as none.

The real compactor and the real reader run on fakes. Their calls to the stores are interleaved at random with events,
late ones and replays; compactors are killed between any two of them, calls fail with or without an effect, or take
effect long after their caller was told that they failed. Clocks of compactors differ.
"""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.errors import TransientError
from schemas.events import ViewingRecord
from streams.history.compaction import Compactor
from streams.history.merge import merge
from streams.history.reading import HistoryReader
from streams.history.rollup import RollUpRules
from tests.builders import T0, viewing_record
from tests.fakes import FakeCompactionMetrics, FakeCompressedVH, FakeLiveVH
from tests.oracle import Comparable, by_profile
from tests.unit.streams.history.interleaving import Call, Interleaving

PROFILE = "ml-1"
RULES = RollUpRules(keep_live=1, timeout_ms=3_600_000, chunk_bytes=400)
MINUTE = 60_000
fates = st.sampled_from((*["go"] * 12, "kill", "refuse", "lose the answer", "come later"))
schedules = st.lists(st.tuples(st.integers(0, 20), fates), max_size=25)


def record(session: int, seq: int, now: int = T0) -> ViewingRecord:
    """Sessions of one member; every other state is a final one."""
    return viewing_record(
        profile_id=PROFILE,
        playback_session_id=f"018bcfe5-6800-7000-8000-{session:012d}",
        session_started_at=T0 + session * MINUTE,
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
        self.live = FakeLiveVH()
        self.compressed = FakeCompressedVH()
        self.metrics = FakeCompactionMetrics()
        self.between = Interleaving()
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
        self.live.tombstones.clear()
        self.compressed.deleted.clear()

    @precondition(lambda self: len(self.between.running("compactor")) < 3)
    @rule(skew=st.sampled_from((-10_000, 0, 10_000)), schedule=schedules)
    def compact(self, skew: int, schedule: list[tuple[int, str]]) -> None:
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
            try:
                await compactor.compact(PROFILE)
            except TransientError:
                return

        self.between.start(actor, work())
        self.go_on(schedule)

    @precondition(lambda self: len(self.between.running("reader")) < 4)
    @rule(limit=st.none() | st.integers(1, 6), schedule=schedules)
    def read(self, limit: int | None, schedule: list[tuple[int, str]]) -> None:
        """The whole history in one go, or page by page."""
        actor = self._name("reader")
        reader = HistoryReader(
            self.between.through(actor, self.live), self.between.through(actor, self.compressed), self.metrics
        )
        known = merge(self.written)

        async def work() -> None:
            try:
                found = await (_pages(reader, limit) if limit else _whole(reader))
            except TransientError:
                return
            if found is not None:
                self._check(found, known)

        self.between.start(actor, work())
        self.go_on(schedule)

    @rule(schedule=schedules)
    def go_on(self, schedule: list[tuple[int, str]]) -> None:
        for choice, fate in schedule:
            if not self.between.calls:
                return
            call = self.between.calls[choice % len(self.between.calls)]
            self.between.let(call, "refuse" if fate != "go" and call.actor.startswith("reader") else fate)

    @precondition(lambda self: self.between.later)
    @rule(choice=st.integers(0, 5))
    def a_late_call_comes(self, choice: int) -> None:
        self._arrive(self.between.later[choice % len(self.between.later)])

    @rule()
    def finish(self) -> None:
        self.between.finish()

    @invariant()
    def every_listed_chunk_is_there(self) -> None:
        if metadata := self.compressed.decided.get(PROFILE):
            assert all(chunk.body or (PROFILE, chunk.id) in self.compressed.bodies for chunk in metadata.chunks)
            places = [place for chunk in metadata.chunks for place in (chunk.first, chunk.last)]
            assert places == sorted(places)
            assert self.metrics.corrupt == 0

    def teardown(self) -> None:
        if not hasattr(self, "between"):
            return
        self.between.finish()
        while self.between.later:
            self._arrive(self.between.later[0])
        self.now += 100_000_000
        self._store([record(session, 11, self.now) for session in (20, 21)])  # so that there is something to publish
        self.compact(0, [])
        self.between.finish()
        listed = {chunk.id for chunk in self.compressed.decided[PROFILE].chunks if not chunk.body}
        assert {chunk for _, chunk in self.compressed.bodies} == listed
        assert len(self.live.rows[PROFILE]) == RULES.keep_live
        self.read(None, [])
        self.between.finish()
        self.between.close()

    def _store(self, records: list[ViewingRecord]) -> None:
        self.live._store(records)
        self.written += records

    def _arrive(self, call: Call) -> None:
        self.between.arrive(call)

    def _name(self, kind: str) -> str:
        self.actors += 1
        return f"{kind} {self.actors}"

    def _check(self, found: list[ViewingRecord], known: list[ViewingRecord]) -> None:
        """All that was known when the reader began, nothing twice, nothing that was never written."""
        sessions = [one.playback_session_id for one in found]
        assert len(sessions) == len(set(sessions))
        assert found == sorted(found, key=lambda one: (one.session_started_at, one.playback_session_id), reverse=True)
        states = {one.playback_session_id: one.seq for one in found}
        assert {one.playback_session_id for one in known if states.get(one.playback_session_id, -1) < one.seq} == set()
        written = [_comparable(one) for one in self.written]
        assert all(_comparable(one) in written for one in found)


async def _whole(reader: HistoryReader) -> list[ViewingRecord] | None:
    found = await reader.whole(PROFILE)
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


async def _at_once(_: float) -> None: ...


def _comparable(one: ViewingRecord) -> Comparable:
    return by_profile([one])[PROFILE][one.playback_session_id]


TestCompaction = Compaction.TestCase
TestCompaction.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
