"""What streams and services may expect of a LiveVHStore: the fake and Cassandra's adapter alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Protocol
from uuid import UUID, uuid4

import pytest
from cassandra.cluster import Session
from cassandra.query import BatchStatement, BatchType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.history.compaction import Compactor
from domain.history.live import LiveHistory, read_live
from domain.history.merge import merge
from domain.history.ports import LiveCounts, LiveMoves, LiveVHStore
from domain.history.rollup import RollUpRules
from infra.engines.cassandra import close, connect, run
from infra.runtime.settings import Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from infra.stores.profiles_cassandra import Profiles
from schemas.errors import TooManyDeletions
from schemas.events import DAY_MS, ViewingRecord
from tests.support.builders import T0, viewing_record
from tests.support.fake_history import FakeLiveVH
from tests.support.fake_metrics import FakeMetrics


class Live(LiveVHStore, LiveMoves, LiveCounts, Protocol): ...


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Live]:
    if request.param == "fake":
        yield FakeLiveVH()
        return
    session = connect(request.getfixturevalue("stack"))
    yield LiveVH(session)
    await asyncio.to_thread(close, session)


@pytest.fixture
def profile() -> str:
    """A profile that no other test writes to."""
    return f"contract-{uuid4()}"


async def stored(store: Live, profile_id: str) -> LiveHistory:
    """All of it, in the order of ids."""
    found = await read_live(store, profile_id)
    return replace(found, records=found.records[::-1])


UUID4 = UUID("6ba7b811-9dad-4d10-80b4-00c04fd430c8")


def session_id(number: int) -> str:
    return f"018bcfe5-6800-7000-8000-{number:012d}"


async def test_what_was_written_is_read_in_full(store: Live, profile: str) -> None:
    full = viewing_record(profile_id=profile, error_code="réseau", recommendation_id="r-1", error_fatal=True)
    assert await store.write([full]) == []
    assert (await stored(store, profile)).records == [full]


async def test_nulls_stay_nulls(store: Live, profile: str) -> None:
    bare = viewing_record(profile_id=profile, duration_ms=None, startup_time_ms=None, bitrate_kbps=None)
    await store.write([bare])
    assert (await stored(store, profile)).records == [bare]


async def test_a_newer_state_replaces_an_older_one(store: Live, profile: str) -> None:
    await store.write([viewing_record(profile_id=profile, seq=1)])
    await store.write([viewing_record(profile_id=profile, seq=2, playhead_ms=9)])
    assert (await stored(store, profile)).records == [viewing_record(profile_id=profile, seq=2, playhead_ms=9)]


async def test_an_older_state_that_comes_later_changes_nothing(store: Live, profile: str) -> None:
    newest = viewing_record(profile_id=profile, seq=2)
    await store.write([newest])
    await store.write([viewing_record(profile_id=profile, seq=1, received_at=T0 + 999_999)])
    assert (await stored(store, profile)).records == [newest]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_of_two_deliveries_the_later_stays(store: Live, profile: str, order: tuple[int, int]) -> None:
    for delay in order:
        await store.write([viewing_record(profile_id=profile, received_at=T0 + delay)])
    assert [record.received_at for record in (await stored(store, profile)).records] == [T0 + 2]


async def test_a_replay_is_harmless(store: Live, profile: str) -> None:
    history = [viewing_record(profile_id=profile, playback_session_id=session_id(n), seq=n) for n in range(5)]
    await store.write(history)
    await store.write([*reversed(history), *history])
    assert (await stored(store, profile)).records == history


async def test_many_records_of_many_profiles_in_one_call(store: Live, profile: str) -> None:
    records = [
        viewing_record(profile_id=f"{profile}-{n % 7}", playback_session_id=session_id(n), playhead_ms=n)
        for n in range(100)
    ]
    assert await store.write(records) == []
    for rest in range(7):
        assert (await stored(store, f"{profile}-{rest}")).records == records[rest::7]


async def test_rows_of_a_kibibyte_fit(store: Live, profile: str) -> None:
    long = [
        viewing_record(profile_id=profile, playback_session_id=session_id(n), error_code="x" * 800) for n in range(60)
    ]
    assert await store.write(long) == []
    assert (await stored(store, profile)).records == long


async def test_a_giant_partition_comes_in_parts(store: Live, profile: str) -> None:
    """6,000 rows are more than the driver's page of 5,000."""
    history = [viewing_record(profile_id=profile, playback_session_id=session_id(number)) for number in range(6_000)]
    await store.write(history)
    sizes = []
    before: str | None = None
    while (part := await store.part(profile, 1_000, before)).more_before:
        sizes.append(len(part.records))
        before = part.more_before
    assert sizes == [1_000] * 6
    assert (await stored(store, profile)).records == history


async def test_a_part_has_the_highest_ids_and_says_where_the_next_begins(store: Live, profile: str) -> None:
    history = [viewing_record(profile_id=profile, playback_session_id=session_id(number)) for number in range(5)]
    await store.write(history)
    part = await store.part(profile, 3)
    assert (list(part.records), part.more_before) == (history[:1:-1], session_id(2))
    rest = await store.part(profile, 3, part.more_before)
    assert (list(rest.records), rest.more_before) == (history[1::-1], None)


async def test_the_marker_comes_with_every_part_even_with_one_that_has_no_rows(store: Live, profile: str) -> None:
    history = [viewing_record(profile_id=profile, playback_session_id=session_id(number)) for number in range(4)]
    await store.write(history)
    first = await store.part(profile, 2)
    await store.delete_rolled_up(profile, history[:2], 7)
    assert first.compacted_generation is None
    rest = await store.part(profile, 2, first.more_before)
    assert (list(rest.records), rest.compacted_generation, rest.more_before) == ([], 7, None)


async def test_an_unknown_profile_has_an_empty_history(store: Live, profile: str) -> None:
    partition = await stored(store, profile)
    assert (partition.records, partition.compacted_generation) == ([], None)


async def test_nothing_was_compacted_yet(store: Live, profile: str) -> None:
    await store.write([viewing_record(profile_id=profile)])
    assert (await stored(store, profile)).compacted_generation is None


async def test_moving_out_deletes_and_marks(store: Live, profile: str) -> None:
    history = [viewing_record(profile_id=profile, playback_session_id=session_id(n), seq=n) for n in range(5)]
    await store.write(history)
    await store.delete_rolled_up(profile, history[:3], 1_700_000_000_000_001)
    partition = await stored(store, profile)
    assert (list(partition.records), partition.compacted_generation) == (history[3:], 1_700_000_000_000_001)


async def test_the_marker_stays_when_every_record_has_moved_out(store: Live, profile: str) -> None:
    only = viewing_record(profile_id=profile)
    await store.write([only])
    await store.delete_rolled_up(profile, [only], 7)
    partition = await stored(store, profile)
    assert (list(partition.records), partition.compacted_generation) == ([], 7)


async def test_a_lower_generation_leaves_the_marker(store: Live, profile: str) -> None:
    await store.delete_rolled_up(profile, [viewing_record(profile_id=profile)], 8)
    await store.delete_rolled_up(profile, [viewing_record(profile_id=profile)], 7)
    assert (await stored(store, profile)).compacted_generation == 8


async def test_a_newer_state_survives_the_move_and_an_older_one_stays_dead(store: Live, profile: str) -> None:
    old, moved, new = (viewing_record(profile_id=profile, seq=seq) for seq in (1, 2, 3))
    await store.write([moved])
    await store.delete_rolled_up(profile, [moved], 7)
    await store.write([old, moved])
    assert list((await stored(store, profile)).records) == []
    await store.write([new])
    await store.delete_rolled_up(profile, [moved], 7)
    assert list((await stored(store, profile)).records) == [new]


async def test_another_state_with_the_seq_of_one_that_has_moved_stays_dead(store: Live, profile: str) -> None:
    moved, other = (viewing_record(profile_id=profile, received_at=T0 + n, title_id=f"ml-{n}") for n in range(2))
    await store.write([moved])
    await store.delete_rolled_up(profile, [moved], 7)
    await store.write([other])
    assert list((await stored(store, profile)).records) == []


async def test_a_thousand_records_move_out_in_one_step(store: Live, profile: str) -> None:
    history = [viewing_record(profile_id=profile, playback_session_id=session_id(n)) for n in range(1_000)]
    await store.write(history)
    await store.delete_rolled_up(profile, history, 7)
    assert list((await stored(store, profile)).records) == []


async def test_counting_stops_at_the_limit(store: Live, profile: str) -> None:
    assert await store.count(profile, 3) == 0
    await store.write([viewing_record(profile_id=profile, playback_session_id=session_id(n)) for n in range(5)])
    assert (await store.count(profile, 3), await store.count(profile, 9)) == (3, 5)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_later_state_that_tells_nothing_leaves_what_was_kept(
    store: Live, profile: str, order: tuple[int, int]
) -> None:
    told = viewing_record(profile_id=profile, seq=1, playhead_ms=2_700_000)
    stopped = viewing_record(profile_id=profile, seq=2, playhead_ms=0, duration_ms=None)
    for turn in order:
        await store.write([(told, stopped)[turn]])
    (record,) = (await stored(store, profile)).records
    assert (record.seq, record.playhead_ms, record.duration_ms) == (2, 0, None)
    assert (record.played_seq, record.played_ms, record.length_ms) == (1, 2_700_000, 6_000_000)


async def test_a_clock_that_is_set_back_hides_no_newer_state(store: Live, profile: str) -> None:
    await store.write([viewing_record(profile_id=profile, seq=1)])
    back = viewing_record(profile_id=profile, seq=2, session_started_at=T0 - 2_600_000_000)
    await store.write([back])
    assert [record.seq for record in (await stored(store, profile)).records] == [2]


async def test_a_session_whose_id_holds_no_time_is_ordered_and_moved_as_any_other(store: Live, profile: str) -> None:
    old, new = (viewing_record(profile_id=profile, seq=n, playback_session_id=str(UUID4)) for n in (1, 2))
    await store.write([new])
    await store.write([old])
    partition = await stored(store, profile)
    assert [record.seq for record in partition.records] == [2]
    await store.delete_rolled_up(profile, partition.records, 7, partition.written_at)
    assert list((await stored(store, profile)).records) == []


rivals = st.builds(
    viewing_record,
    seq=st.integers(0, 1),
    received_at=st.integers(T0, T0 + 1),
    playhead_ms=st.integers(0, 300),
    bitrate_kbps=st.none() | st.integers(0, 2),
    error_code=st.none() | st.text("aé中", max_size=2),
    error_fatal=st.booleans(),
    duration_ms=st.none() | st.integers(1, 2),
    watched_ms=st.integers(0, 1),
    title_id=st.sampled_from(("a", "b", "ab")),
)


@given(st.lists(rivals, min_size=2, max_size=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
async def test_it_keeps_what_merge_keeps(store: Live, states: list[ViewingRecord]) -> None:
    """Equal write timestamps included: there Cassandra compares the encoded values, and so does merge."""
    profile = str(uuid4())
    mine = [_of(profile, state) for state in states]
    for state in mine:
        await store.write([state])
    assert list((await stored(store, profile)).records) == merge(mine)


def _of(profile: str, state: ViewingRecord) -> ViewingRecord:
    return viewing_record(**{name: getattr(state, name) for name in state.__struct_fields__} | {"profile_id": profile})


@pytest.fixture
async def rolled_up(stack: Settings, profile: str) -> AsyncIterator[tuple[Session, list[ViewingRecord]]]:
    """More records of the profile than Cassandra passes over once they are deleted. None is written."""
    session = connect(stack)
    yield session, [viewing_record(profile_id=profile, playback_session_id=session_id(n)) for n in range(100_500)]
    # One deletion in place of all: other tests read whole tables.
    for table in ("live_vh", "compressed_vh_metadata", "compressed_vh_chunks"):
        session.execute(f"DELETE FROM {table} WHERE profile_id = %s", (profile,))
    assert await LiveVH(session).count(profile, 10) == 0
    assert profile not in Profiles(session)
    await asyncio.to_thread(close, session)


@pytest.mark.engines
async def test_a_history_is_read_whatever_was_deleted_from_it(
    rolled_up: tuple[Session, list[ViewingRecord]], profile: str
) -> None:
    session, deleted = rolled_up
    live = LiveVH(session)
    lowest, highest = (viewing_record(profile_id=profile, playback_session_id=session_id(n)) for n in (0, 200_000))
    await live.write([lowest, highest])
    for start in range(1, len(deleted), 1_000):
        await live.delete_rolled_up(profile, deleted[start : start + 1_000], 7)
    with pytest.raises(TooManyDeletions):
        await live.part(profile, 1_000)

    found = await read_live(live, profile)

    assert (found.records, found.compacted_generation) == ([highest, lowest], 7)
    assert await live.count(profile, 10) == 2
    assert profile in Profiles(session)


@pytest.mark.engines
async def test_deletions_without_milestones_cost_only_their_own_profile(
    rolled_up: tuple[Session, list[ViewingRecord]], profile: str
) -> None:
    """As older software left them."""
    session, deleted = rolled_up
    live = LiveVH(session)
    other = viewing_record(profile_id=f"{profile}-other")
    await live.write([*deleted[:3], other])
    rules = RollUpRules(keep_live=0)
    assert await Compactor(live, CompressedVH(session), FakeMetrics(), rules, lambda: T0 + DAY_MS).compact(profile)
    delete = session.prepare(
        f"DELETE FROM {session.keyspace}.live_vh USING TIMESTAMP 1 WHERE profile_id = ? AND playback_session_id = ?"
    )
    for start in range(0, len(deleted), 1_000):
        batch = BatchStatement(BatchType.UNLOGGED)
        for record in deleted[start : start + 1_000]:
            batch.add(delete, (profile, UUID(record.playback_session_id)))
        await run(session, batch)
    for reading in (read_live(live, profile), live.count(profile, 10)):
        with pytest.raises(TooManyDeletions):
            await reading
    assert {profile, other.profile_id} <= {*Profiles(session)}
