"""A broken client gives one session id two starts, which are two places in the history. The later one speaks."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.history import reading
from domain.history.merge import merge
from domain.history.rollup import RollUpRules
from domain.history.versions import position
from schemas.events import ViewingRecord
from tests.unit.domain.history.compaction_fixtures import PROFILE, Stores, session

EARLY, LATE = session(0), session(0, seq=4, session_started_at=session(39).session_started_at)
OTHERS = [session(n) for n in range(1, 39)]


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "EXPORT_PAGE", 5)


async def pages(stores: Stores, limit: int) -> list[ViewingRecord]:
    """All pages, one after the other."""
    found, cursor = [], None
    while True:
        page = await stores.reader.page(PROFILE, limit, cursor)
        assert len(page.items) <= limit
        found += page.items
        if (cursor := page.next_cursor) is None:
            return found


async def exported(stores: Stores) -> list[ViewingRecord]:
    return [record async for page in stores.reader.export(PROFILE) for record in page.items]


def first_of_each(records: Sequence[ViewingRecord]) -> list[ViewingRecord]:
    firsts: dict[str, ViewingRecord] = {}
    for record in records:
        firsts.setdefault(record.playback_session_id, record)
    return [*firsts.values()]


@pytest.mark.parametrize("limit", [1, 5, 100])
async def test_a_live_state_hides_the_one_in_a_chunk_on_every_page(limit: int) -> None:
    stores = Stores()
    await stores.compacted(EARLY, *OTHERS)
    await stores.live.write([LATE])
    assert await pages(stores, limit) == await stores.history() == [LATE, *reversed(OTHERS)]


async def test_of_two_states_in_chunks_the_newer_one_comes_first_and_an_export_has_no_other() -> None:
    stores = Stores(rules=RollUpRules(keep_live=0, chunk_bytes=400))
    await stores.compacted(EARLY, *OTHERS)
    await stores.compacted(LATE)
    assert await stores.history() == await exported(stores) == [LATE, *reversed(OTHERS)]
    assert await pages(stores, 5) == [LATE, *reversed(OTHERS), EARLY]


async def test_a_page_that_reads_both_chunks_shows_the_session_once() -> None:
    stores = Stores(rules=RollUpRules(keep_live=0, chunk_bytes=400))
    await stores.compacted(EARLY, *OTHERS)
    await stores.compacted(LATE)
    assert await pages(stores, 100) == await stores.history()


states = st.builds(
    lambda number, moved, seq: session(
        number, 4 * moved + seq, session_started_at=session(number + moved).session_started_at
    ),
    st.integers(0, 19),
    st.sampled_from([0, 0, 0, 1, 15]),
    st.integers(0, 3),
)


@settings(max_examples=25)
@given(st.lists(st.lists(states, min_size=1, max_size=12), max_size=4), st.booleans(), st.integers(1, 30))
async def test_the_first_of_each_session_on_all_pages_is_the_whole_history(
    parts: list[list[ViewingRecord]], gc_grace_passes: bool, limit: int
) -> None:
    stores = Stores(rules=RollUpRules(keep_live=2, chunk_bytes=350))
    for records in parts[:-1]:
        await stores.compacted(*records)
    if gc_grace_passes:  # states that were rolled up can be in LiveVH again
        stores.live.forget_deletions()
    await stores.live.write([record for records in parts[-1:] for record in records])
    whole = sorted(merge(*parts), key=position, reverse=True)
    assert await stores.history() == whole
    assert await exported(stores) == whole
    assert first_of_each(await pages(stores, limit)) == whole
    recent = await stores.reader.read_recent(PROFILE, limit)
    assert recent.records == whole[: len(recent.records)]
    assert recent.older or recent.records == whole
