"""The merged read: what it asks for, and what it answers when a part can't be read."""

from dataclasses import replace

import pytest

from domain.history.versions import ChunkId, Metadata, position
from domain.metrics import HISTORY_READ_RETRIES, UNREADABLE_CHUNKS
from schemas.errors import TransientError
from tests.support.fake_history import FakeCompressedVH
from tests.unit.domain.history.compaction_fixtures import PROFILE, Stores, session

SESSIONS = 40


class Watched(FakeCompressedVH):
    """Notes which chunks are asked for. ``stale`` is what the next ordinary read of the metadata answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ChunkId] = []
        self.stale: Metadata | None = None
        self.away = False

    async def metadata(self, profile_id: str) -> Metadata | None:
        stale, self.stale = self.stale, None
        return stale or await super().metadata(profile_id)

    async def chunk(self, profile_id: str, chunk: ChunkId) -> bytes | None:
        self.asked.append(chunk)
        if self.away:
            raise TransientError("no answer")
        return await super().chunk(profile_id, chunk)


@pytest.fixture
async def stores() -> Stores:
    """Forty sessions, ten minutes apart, the newest two of them live."""
    stores = Stores(compressed=Watched())
    await stores.compacted(*(session(n * 10) for n in range(SESSIONS)))
    assert len(stores.metadata.chunks) > 3
    asked(stores).clear()
    return stores


def asked(stores: Stores) -> list[ChunkId]:
    assert isinstance(stores.compressed, Watched)
    return stores.compressed.asked


async def test_the_first_page_asks_for_the_newest_chunk_only(stores: Stores) -> None:
    page = await stores.reader.page(PROFILE, 3)
    assert page.items == [session(390), session(380), session(370)]
    assert asked(stores) == [stores.metadata.chunks[-1].id]


@pytest.mark.parametrize("limit", [1, 2])
async def test_live_sessions_alone_fill_a_page_without_any_chunk(stores: Stores, limit: int) -> None:
    page = await stores.reader.page(PROFILE, limit)
    assert page.items == [session(390), session(380)][:limit]
    assert asked(stores) == []


async def test_a_page_of_all_live_sessions_leads_on_to_the_chunks(stores: Stores) -> None:
    cursor = (await stores.reader.page(PROFILE, 2)).next_cursor
    assert (await stores.reader.page(PROFILE, 2, cursor)).items == [session(370), session(360)]


async def test_a_page_that_ends_with_a_chunk_does_not_read_the_next_one(stores: Stores) -> None:
    newest = stores.metadata.chunks[-1]
    page = await stores.reader.page(PROFILE, 2 + newest.records)
    assert asked(stores) == [newest.id]
    assert page.next_cursor
    before = stores.metadata.chunks[-2]
    page = await stores.reader.page(PROFILE, before.records, page.next_cursor)
    assert position(page.items[0]) == before.last
    assert asked(stores) == [newest.id, before.id]


async def test_a_page_in_the_middle_asks_for_its_own_part(stores: Stores) -> None:
    cursor = (await stores.reader.page(PROFILE, 20)).next_cursor
    asked(stores).clear()
    page = await stores.reader.page(PROFILE, 3, cursor)
    assert page.items == [session(190), session(180), session(170)]
    first, last = stores.metadata.chunks[0].id, stores.metadata.chunks[-1].id
    assert first not in asked(stores)
    assert last not in asked(stores)


@pytest.mark.parametrize("limit", [1, 2, 7, 39, 40, 41])
async def test_pages_show_every_session_once(stores: Stores, limit: int) -> None:
    found, cursor = [], None
    while True:
        page = await stores.reader.page(PROFILE, limit, cursor)
        found += page.items
        if (cursor := page.next_cursor) is None:
            break
    assert found == [session(n * 10) for n in reversed(range(SESSIONS))]


async def test_an_old_state_in_live_does_not_hide_the_newer_one_in_its_chunk(stores: Stores) -> None:
    stores.live.forget_deletions()
    await stores.live.write([session(370, seq=1), session(200, seq=1)])
    page = await stores.reader.page(PROFILE, 4)
    assert page.items == [session(390), session(380), session(370), session(360)]
    assert (await stores.history())[19] == session(200)


async def test_a_late_session_shows_up_between_chunks(stores: Stores) -> None:
    between = stores.metadata.chunks[1].first[0] - 1
    late = session(1, session_started_at=between, playback_session_id="018bcfe5-6800-7000-8000-00000000beef")
    await stores.live.write([late])
    assert late in await stores.history()
    found, cursor = [], None
    while True:
        page = await stores.reader.page(PROFILE, 3, cursor)
        found += page.items
        if (cursor := page.next_cursor) is None:
            break
    assert len(found) == SESSIONS + 1
    assert found == await stores.history()


async def test_metadata_older_than_the_marker_is_read_again(stores: Stores) -> None:
    stale = stores.metadata
    await stores.compacted(session(500), session(510))
    assert isinstance(stores.compressed, Watched)
    stores.compressed.stale = stale
    assert len(await stores.history()) == SESSIONS + 2
    assert stores.metrics.by(HISTORY_READ_RETRIES, "reason") == {"newer marker": 1}


async def test_a_chunk_that_was_cleaned_up_is_looked_for_in_the_newest_version(stores: Stores) -> None:
    stale = stores.metadata
    await stores.compacted(session(5, seq=9))
    stores.live.markers.clear()  # as if this reader had read LiveVH before the compaction
    assert isinstance(stores.compressed, Watched)
    stores.compressed.stale = stale
    assert len(await stores.history()) == SESSIONS + 1
    assert stores.metrics.by(HISTORY_READ_RETRIES, "reason") == {"chunk gone": 1}


@pytest.mark.parametrize("damage", [b"nonsense", None])
async def test_the_sound_part_is_answered_when_a_chunk_is_damaged(stores: Stores, damage: bytes | None) -> None:
    chunk = stores.metadata.chunks[-2]
    stores.compressed.bodies.pop((PROFILE, chunk.id))
    if damage:
        stores.compressed.bodies[PROFILE, chunk.id] = damage
    whole = await stores.reader.read_all(PROFILE)
    assert (whole.complete, len(whole.records)) == (False, SESSIONS - chunk.records)
    assert stores.metrics.total(UNREADABLE_CHUNKS) == 1
    found, complete, cursor = [], True, None
    while True:
        page = await stores.reader.page(PROFILE, 2, cursor)
        found += page.items
        complete = complete and page.complete
        if (cursor := page.next_cursor) is None:
            break
    assert (complete, found) == (False, whole.records)


async def test_a_marker_that_no_metadata_explains_is_an_alarm(stores: Stores) -> None:
    stores.live.markers[PROFILE] += 1
    whole = await stores.reader.read_all(PROFILE)
    assert (whole.complete, len(whole.records)) == (False, SESSIONS)
    assert stores.metrics.total(UNREADABLE_CHUNKS) == 1


async def test_chunks_that_do_not_answer_make_the_history_partial(stores: Stores) -> None:
    assert isinstance(stores.compressed, Watched)
    stores.compressed.away = True
    whole = await stores.reader.read_all(PROFILE)
    assert (whole.complete, whole.records) == (False, [session(390), session(380)])
    assert stores.metrics.total(UNREADABLE_CHUNKS) == 0


async def test_it_tells_how_much_came_from_each_store(stores: Stores) -> None:
    whole = await stores.reader.read_all(PROFILE)
    assert (whole.live, whole.compressed) == (2, SESSIONS - 2)


@pytest.mark.parametrize("limit", [1, 2, 7, 39, 40, 41])
async def test_recent_sessions_are_the_newest_of_the_history(stores: Stores, limit: int) -> None:
    recent = await stores.reader.read_recent(PROFILE, limit)
    assert recent.records == [session(n * 10) for n in reversed(range(SESSIONS))][:limit]
    assert (recent.complete, recent.older) == (True, limit < SESSIONS)


async def test_recent_sessions_ask_for_chunks_from_the_newest_backwards_until_there_are_enough(stores: Stores) -> None:
    await stores.reader.read_recent(PROFILE, 2)
    assert asked(stores) == []
    newest, before = stores.metadata.chunks[-1], stores.metadata.chunks[-2]
    await stores.reader.read_recent(PROFILE, 2 + newest.records)
    assert asked(stores) == [newest.id]
    asked(stores).clear()
    await stores.reader.read_recent(PROFILE, 3 + newest.records)
    assert set(asked(stores)) == {newest.id, before.id}


async def test_sessions_since_a_moment_ask_for_no_chunk_that_ends_before_it(stores: Stores) -> None:
    newest = stores.metadata.chunks[-1]
    recent = await stores.reader.read_recent(PROFILE, SESSIONS, since=newest.first[0])
    assert (len(recent.records), recent.records[-1].session_started_at) == (2 + newest.records, newest.first[0])
    assert (recent.older, asked(stores)) == (True, [newest.id])


async def test_sessions_since_a_moment_within_a_chunk_leave_out_its_older_ones(stores: Stores) -> None:
    recent = await stores.reader.read_recent(PROFILE, SESSIONS, since=session(365).session_started_at)
    assert recent.records == [session(390), session(380), session(370)]
    assert recent.older


async def test_damage_below_the_bound_is_not_seen_and_damage_above_makes_recent_sessions_partial(
    stores: Stores,
) -> None:
    for chunk in stores.metadata.chunks[:-1]:
        stores.compressed.bodies.pop((PROFILE, chunk.id))
    newest = stores.metadata.chunks[-1]
    assert (await stores.reader.read_recent(PROFILE, 2 + newest.records)).complete
    stores.compressed.bodies.pop((PROFILE, newest.id))
    recent = await stores.reader.read_recent(PROFILE, 3)
    assert (recent.complete, recent.records) == (False, [session(390), session(380)])


async def test_a_profile_without_sessions_has_no_recent_ones(stores: Stores) -> None:
    recent = await stores.reader.read_recent("nobody", since=0)
    assert (recent.records, recent.complete, recent.older) == ([], True, False)


async def test_an_export_is_the_whole_history(stores: Stores) -> None:
    exported = [record async for page in stores.reader.export(PROFILE) for record in page.items]
    assert exported == await stores.history()


async def test_a_strange_cursor_is_refused_before_anything_is_read(stores: Stores) -> None:
    with pytest.raises(ValueError, match="cursor"):
        await replace(stores.reader).page(PROFILE, 3, "Zm9v")
    assert asked(stores) == []
