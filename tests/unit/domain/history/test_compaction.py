"""Compaction step by step; test_compaction_model.py interleaves the steps."""

from dataclasses import replace
from typing import NoReturn

import pytest
import structlog

from domain.history.compaction import SETTLING_TRIES, Step
from domain.history.rollup import RollUpRules
from domain.history.versions import Metadata, Version
from domain.metrics import COMPACTED_RECORDS, UNREADABLE_CHUNKS
from schemas.errors import TooManyDeletions, TransientError
from tests.support.builders import T0
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.unit.domain.history.compaction_fixtures import PROFILE, Stores, session


async def test_closed_sessions_move_and_the_newest_stay() -> None:
    stores = Stores()
    records = [session(n) for n in range(5)]
    assert await stores.compacted(*records) == "published"
    assert list(stores.live.rows[PROFILE].values()) == records[3:]
    assert stores.metrics.total(COMPACTED_RECORDS) == 3
    assert await stores.history() == records[::-1]


async def test_an_open_session_stays_however_old() -> None:
    stores = Stores()
    still_open = session(0, event_type="heartbeat", received_at=stores.now)
    await stores.compacted(still_open, *(session(n) for n in range(1, 5)))
    assert still_open in stores.live.rows[PROFILE].values()
    assert len(stores.live.rows[PROFILE]) == 3


async def test_the_steps_come_in_their_order() -> None:
    stores = Stores()
    await stores.compacted(session(0))
    assert stores.steps == [Step.READ]
    stores.rules = replace(stores.rules, keep_live=0, chunk_bytes=350)
    stores.steps.clear()
    await stores.compacted(*(session(n) for n in range(6)))
    assert list(dict.fromkeys(stores.steps)) == list(Step)


async def test_a_small_history_is_inside_the_metadata_row() -> None:
    stores = Stores()
    await stores.compacted(*(session(n) for n in range(5)))
    (chunk,) = stores.metadata.chunks
    assert chunk.body
    assert stores.compressed.bodies == {}


async def test_only_the_chunks_that_change_are_written_again() -> None:
    stores = Stores()
    await stores.compacted(*(session(n * 10) for n in range(30)))
    before = stores.metadata.chunks
    assert len(before) > 2
    assert await stores.compacted(session(5)) == "published"  # late: it belongs into the first one
    after = stores.metadata.chunks
    assert after[-len(before) + 1 :] == before[1:]
    assert len(await stores.history()) == 31


async def test_a_full_last_chunk_is_left_alone() -> None:
    stores = Stores()
    await stores.compacted(*(session(n) for n in range(30)))
    before = stores.metadata.chunks
    await stores.compacted(*(session(n) for n in range(30, 60)))
    assert stores.metadata.chunks[: len(before) - 1] == before[:-1]
    assert all(chunk.size <= 400 for chunk in stores.metadata.chunks)


async def test_replayed_states_are_only_deleted() -> None:
    stores = Stores()
    records = [session(n) for n in range(5)]
    await stores.compacted(*records)
    published = stores.metadata
    stores.live.forget_deletions()
    assert await stores.compacted(session(0, seq=1), session(1)) == "unchanged"
    assert stores.metadata == published
    assert await stores.history() == records[::-1]
    assert len(stores.live.rows[PROFILE]) == 2


async def test_a_late_event_changes_its_chunk() -> None:
    stores = Stores()
    await stores.compacted(*(session(n) for n in range(5)))
    assert await stores.compacted(session(0, seq=9)) == "published"
    assert (await stores.history())[-1].seq == 9
    assert len(stores.live.rows[PROFILE]) == 2


async def test_of_two_states_that_claim_one_seq_the_one_that_was_rolled_up_stays() -> None:
    """The gap in late truth that decision 0007 describes: on time, the one received later would have won."""
    stores = Stores()
    first, other = (session(0, received_at=T0 + n, title_id=f"ml-{n}") for n in range(2))
    await stores.compacted(first, *(session(n) for n in range(1, 5)))
    await stores.live.write([other])
    assert (await stores.history())[-1] == first
    stores.live.forget_deletions()
    await stores.live.write([other])
    assert (await stores.history())[-1] == other


async def test_generations_grow_though_the_clock_goes_back() -> None:
    stores = Stores()
    await stores.compacted(*(session(n) for n in range(5)))
    first = stores.metadata.version.generation
    assert first == stores.now * 1000
    stores.now = T0
    stores.rules = replace(stores.rules, timeout_ms=0)
    await stores.compacted(*(session(n) for n in range(5, 9)))
    assert stores.metadata.version.generation == first + 1


async def test_what_a_killed_attempt_left_is_cleaned_up() -> None:
    stores = Stores()

    class Killed(BaseException): ...

    async def kill(step: Step) -> None:
        if step is Step.CHUNKS_VERIFIED:
            raise Killed

    await stores.live.write([session(n) for n in range(30)])
    with pytest.raises(Killed):
        await replace(stores.compactor, on_step=kill).compact(PROFILE)
    orphans = set(stores.compressed.bodies)
    assert orphans
    await stores.compacted()
    assert {chunk for _, chunk in stores.compressed.bodies} == {chunk.id for chunk in stores.metadata.chunks}
    assert not orphans & set(stores.compressed.bodies)


class Unanswered(FakeCompressedVH):
    """The first ``unanswered`` publishes get no answer; ``happens``: whether they are applied."""

    def __init__(self, unanswered: int, happens: bool) -> None:
        super().__init__()
        self.unanswered = unanswered
        self.happens = happens

    async def publish(self, profile_id: str, base: Version | None, new: Metadata) -> Version | None:
        if self.unanswered:
            self.unanswered -= 1
            if self.happens:
                self.decide(profile_id, base, new)
            raise TransientError("no answer")
        return await super().publish(profile_id, base, new)


@pytest.mark.parametrize("happens", [True, False])
async def test_a_publish_without_an_answer_is_repeated_until_it_is_settled(happens: bool) -> None:
    stores = Stores(compressed=Unanswered(3, happens))
    assert await stores.compacted(*(session(n) for n in range(5))) == "published"
    assert len(stores.waits) == 3
    assert len(await stores.history()) == 5


async def test_a_publish_that_is_never_settled_leaves_its_chunks() -> None:
    stores = Stores(compressed=Unanswered(SETTLING_TRIES, happens=False))
    with pytest.raises(TransientError):
        await stores.compacted(*(session(n) for n in range(40)))
    assert stores.compressed.bodies
    assert len(stores.live.rows[PROFILE]) == 40


@pytest.mark.parametrize("damage", [b"", b"\x00" * 300, None])
async def test_a_damaged_chunk_is_never_rewritten(damage: bytes | None) -> None:
    stores = Stores()
    await stores.compacted(*(session(n * 10) for n in range(30)))
    published, first = stores.metadata, stores.metadata.chunks[0]
    sound = stores.compressed.bodies.pop((PROFILE, first.id))
    if damage is not None:
        stores.compressed.bodies[PROFILE, first.id] = damage
    with structlog.testing.capture_logs() as logs:
        assert await stores.compacted(session(5)) == "damaged"
    assert stores.metrics.total(UNREADABLE_CHUNKS) == 1
    (alarm,) = [line for line in logs if line["log_level"] == "error"]
    assert (alarm["profile"], alarm["version"]) == (PROFILE, published.version)
    assert stores.metadata == published
    assert session(5) in stores.live.rows[PROFILE].values()
    stores.compressed.bodies[PROFILE, first.id] = sound
    assert await stores.compacted() == "published"


async def test_a_chunk_that_does_not_come_back_as_it_was_written_is_not_published() -> None:
    class Forgetful(FakeCompressedVH):
        async def put_chunk(self, profile_id: str, chunk: object, body: bytes) -> None: ...

    stores = Stores(compressed=Forgetful())
    assert await stores.compacted(*(session(n) for n in range(40))) == "damaged"
    assert stores.compressed.decided == {}
    assert len(stores.live.rows[PROFILE]) == 40


async def test_a_giant_profile_moves_in_parts_though_its_sessions_are_open() -> None:
    stores = Stores(rules=RollUpRules(keep_live=2, max_live=10, chunk_bytes=4_000))
    records = [session(n, event_type="heartbeat", received_at=stores.now) for n in range(95)]
    assert await stores.compacted(*records) == "published"
    assert list(stores.live.rows[PROFILE].values()) == records[-10:]
    assert stores.steps.count(Step.READ) == 5
    assert await stores.history() == records[::-1]


async def test_an_open_session_that_was_moved_goes_on() -> None:
    stores = Stores(rules=RollUpRules(keep_live=1, max_live=2, chunk_bytes=4_000))
    await stores.compacted(*(session(n, event_type="heartbeat", received_at=stores.now) for n in range(9)))
    assert session(0).playback_session_id not in stores.live.rows[PROFILE]
    goes_on = session(0, seq=4, event_type="heartbeat", received_at=stores.now + 1, playhead_ms=9_000)
    await stores.live.write([goes_on])
    assert (await stores.history())[-1] == goes_on
    await stores.compacted(session(9, event_type="heartbeat", received_at=stores.now))
    history = await stores.history()
    assert (len(history), history[-1].seq) == (10, 4)


async def test_what_was_rolled_up_does_not_hide_the_rest_of_a_giant_profile_nor_shrinks_what_stays_live() -> None:
    stores = Stores(rules=RollUpRules(keep_live=2, max_live=10, chunk_bytes=4_000), live=FakeLiveVH(most_deletions=2))
    records = [session(n, event_type="heartbeat", received_at=stores.now) for n in range(5, 100)]
    late = [session(n) for n in range(5)]
    await stores.compacted(*records)
    assert await stores.compacted(*late) == "published"
    assert list(stores.live.rows[PROFILE].values()) == records[-10:]
    assert await stores.history() == [*records[::-1], *late[::-1]]


async def test_a_profile_with_too_many_deletions_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = Stores()

    async def part(profile_id: str, limit: int, before: str | None = None) -> NoReturn:
        raise TooManyDeletions("100,001 deleted rows")

    monkeypatch.setattr(stores.live, "part", part)
    assert await stores.compacted(*(session(n) for n in range(5))) == "too many deletions"
    assert len(stores.live.rows[PROFILE]) == 5


async def test_a_profile_with_too_many_deleted_chunks_is_passed_over_once_its_records_have_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stores = Stores()

    async def stored_chunks(profile_id: str, up_to: int) -> NoReturn:
        raise TooManyDeletions("100,001 deleted rows")

    monkeypatch.setattr(stores.compressed, "stored_chunks", stored_chunks)
    records = [session(n) for n in range(5)]
    assert await stores.compacted(*records) == "too many deletions"
    assert len(stores.live.rows[PROFILE]) == 2
    assert await stores.history() == records[::-1]
