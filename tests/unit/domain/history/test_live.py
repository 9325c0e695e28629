"""A live history in parts: what happens between them, how much is read, and who waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from domain.history import live, reading, turns
from domain.history.live import read_live
from domain.history.ports import LivePart
from domain.history.rollup import RollUpRules
from domain.history.turns import AT_ONCE, MOST_ASKING, Turns
from schemas.errors import TooManyDeletions, TransientError
from tests.support.fake_history import FakeLiveVH
from tests.unit.domain.history.compaction_fixtures import PROFILE, Stores, session


class Interrupted(FakeLiveVH):
    """Something happens before the second part of a read."""

    def __init__(self) -> None:
        super().__init__()
        self.between: Callable[[], Awaitable[object]] | None = None
        self.parts = 0

    async def part(self, profile_id: str, limit: int, before: str | None = None) -> LivePart:
        await asyncio.sleep(0)  # the one that asked at the same time asks now
        self.parts += 1
        if before is not None and self.between:
            act, self.between = self.between, None
            await act()
        return await super().part(profile_id, limit, before)


@pytest.fixture(autouse=True)
def parts_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PART", 3)


async def test_what_a_compaction_moves_between_two_parts_is_not_missed() -> None:
    records = [session(number) for number in range(10)]
    interrupted = Interrupted()
    stores = Stores(live=interrupted)
    await interrupted.write(records)
    interrupted.between = lambda: stores.compactor.compact(PROFILE)

    assert await stores.history() == records[::-1]
    assert len(interrupted.rows[PROFILE]) == 2


async def test_a_part_that_is_empty_by_then_still_says_what_was_moved() -> None:
    interrupted = Interrupted()
    stores = Stores(live=interrupted, rules=RollUpRules(keep_live=0, chunk_bytes=400))
    records = [session(number) for number in range(3)]
    await interrupted.write(records)
    interrupted.between = lambda: stores.compactor.compact(PROFILE)

    assert await stores.history() == records[::-1]


async def test_a_usual_history_is_one_part() -> None:
    interrupted = Interrupted()
    await interrupted.write([session(0), session(1)])

    assert len((await read_live(interrupted, PROFILE)).records) == 2
    assert interrupted.parts == 1


async def deleted_between(live: FakeLiveVH) -> None:
    """Sessions 0 and 30 are live. Those between them were deleted, more than one read passes over."""
    records = [session(number) for number in range(31)]
    await live.write(records)
    await live.delete_rolled_up(PROFILE, records[1:30], 7)
    with pytest.raises(TooManyDeletions):
        await live.part(PROFILE, 31)


async def test_a_history_is_read_in_shorter_parts_past_what_was_deleted_from_it() -> None:
    live = FakeLiveVH(most_deletions=2)
    await deleted_between(live)
    found = await read_live(live, PROFILE)
    assert (found.records, found.compacted_generation, found.more_before) == ([session(30), session(0)], 7, None)


async def test_deletions_without_milestones_cannot_be_passed() -> None:
    live = FakeLiveVH(most_deletions=2)
    await deleted_between(live)
    live.milestones.clear()
    with pytest.raises(TooManyDeletions):
        await read_live(live, PROFILE)


async def test_a_giant_history_is_cut_and_its_pages_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_LIVE", 5)
    stores = Stores(live=Interrupted())
    records = [session(number) for number in range(20)]
    await stores.live.write(records)

    page = await stores.reader.page(PROFILE, 4)
    recent = await stores.reader.read_recent(PROFILE)

    assert (page.items, page.complete) == (records[:15:-1], False)
    assert (recent.records, recent.complete) == (records[:13:-1], False)
    assert await stores.history() == records[::-1]


@asynccontextmanager
async def held(lines: Turns, profile_id: str, number: int) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """This many reads of a profile, which end with the block."""
    end = asyncio.Event()

    async def read() -> None:
        async with lines.of(profile_id):
            await end.wait()

    tasks = [asyncio.create_task(read()) for _ in range(number)]
    await asyncio.sleep(0)
    yield tasks
    end.set()
    await asyncio.gather(*tasks)


async def test_reads_of_one_profile_wait_for_each_other_and_for_nobody_else() -> None:
    lines = Turns()
    async with held(lines, "giant", AT_ONCE):
        async with lines.of("other"):
            """At once."""
        waiting = asyncio.create_task(_read(lines, "giant"))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_too_many_reads_of_one_profile_are_refused_at_once() -> None:
    lines = Turns()
    async with held(lines, "giant", MOST_ASKING):
        with pytest.raises(TransientError):
            await _read(lines, "giant")
        await _read(lines, "other")
    await _read(lines, "giant")


async def test_a_read_that_takes_too_long_is_cut_off_and_its_turn_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "READ_SECONDS", 0.01)
    lines = Turns()
    for _ in range(AT_ONCE + 1):
        with pytest.raises(TransientError):
            async with lines.of("giant"):
                await asyncio.Event().wait()


async def _read(lines: Turns, profile_id: str) -> None:
    async with lines.of(profile_id):
        """As quickly as it can."""
