"""What a history has lost comes back from records made again, and nothing else changes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.history.restoring import Restored, Restorer
from domain.history.versions import Version, position
from schemas.events import ViewingRecord
from tests.unit.domain.history.compaction_fixtures import PROFILE, Stores, session

ALL = [session(n) for n in range(40)]


@pytest.fixture
async def stores() -> Stores:
    """Forty sessions: the newest live, the others in several chunks."""
    stores = Stores()
    await stores.compacted(*ALL)
    assert len(stores.metadata.chunks) > 2
    return stores


async def restored(stores: Stores, records: Sequence[ViewingRecord], *, accept_loss: bool = False) -> Restored:
    return await Restorer(stores.compactor).restore(PROFILE, records, accept_loss=accept_loss)


async def test_a_whole_history_is_left_alone(stores: Stores) -> None:
    before = stores.metadata
    assert await restored(stores, ALL) == Restored("nothing lost")
    assert stores.metadata == before


async def test_a_chunk_that_is_gone_comes_back_and_the_history_is_as_before(stores: Stores) -> None:
    lost = stores.metadata.chunks[1]
    del stores.compressed.bodies[PROFILE, lost.id]
    assert await restored(stores, ALL) == Restored("restored", lost.records)
    assert await stores.history() == ALL[::-1]


async def test_a_damaged_chunk_comes_back(stores: Stores) -> None:
    lost = stores.metadata.chunks[0]
    stores.compressed.bodies[PROFILE, lost.id] = stores.compressed.bodies[PROFILE, lost.id][:-1] + b"?"
    assert await restored(stores, ALL) == Restored("restored", lost.records)
    assert await stores.history() == ALL[::-1]
    assert await restored(stores, ALL) == Restored("nothing lost")


async def test_all_chunks_of_a_history_come_back(stores: Stores) -> None:
    stores.compressed.bodies.clear()
    assert (await restored(stores, ALL)).outcome == "restored"
    assert await stores.history() == ALL[::-1]


async def test_rows_of_live_vh_come_back_whatever_tombstones_they_left(stores: Stores) -> None:
    live = stores.live.rows.pop(PROFILE)
    for record in live.values():
        stores.live.tombstones[PROFILE, record.playback_session_id] = record.write_timestamp
    del stores.live.markers[PROFILE]
    assert await restored(stores, ALL) == Restored("restored", len(live))
    assert await stores.history() == ALL[::-1]


async def test_a_newer_state_in_a_store_stays(stores: Stores) -> None:
    newest = session(39, seq=9_999, title_id="newer")
    await stores.live.write([newest])
    assert await restored(stores, ALL) == Restored("nothing lost")
    assert (await stores.history())[0] == newest


async def test_a_chunk_is_not_replaced_by_one_without_its_sessions(stores: Stores) -> None:
    before, lost = stores.metadata, stores.metadata.chunks[1]
    del stores.compressed.bodies[PROFILE, lost.id]
    gone = next(record for record in ALL if lost.covers(position(record)))
    known = [record for record in ALL if record != gone]
    assert await restored(stores, known) == Restored("sessions missing", missing=1)
    assert stores.metadata == before
    assert await restored(stores, known, accept_loss=True) == Restored("restored", lost.records - 1, 1)
    assert await stores.history() == known[::-1]


async def test_a_compaction_that_was_faster_wins(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    del stores.compressed.bodies[PROFILE, stores.metadata.chunks[1].id]
    put_chunk = stores.compressed.put_chunk

    async def overtaken(*arguments: Any) -> None:
        await put_chunk(*arguments)
        before = stores.metadata
        newer = Version(before.version.generation + 1, uuid4())
        stores.compressed.decide(PROFILE, before.version, replace(before, version=newer))

    monkeypatch.setattr(stores.compressed, "put_chunk", overtaken)
    assert (await restored(stores, ALL)).outcome == "try again"
