"""The history API over both stores: pages, bookmarks and exports, and what they say when a part can't be read."""

import json
from typing import Any

import pytest

from domain.history import reading
from domain.history.compaction import Compactor
from domain.history.rollup import RollUpRules
from tests.support.evening_viewing import MEMBER
from tests.support.fake_history import FakeLiveVH
from tests.support.fake_metrics import FakeMetrics
from tests.unit.services.conftest import Services

SESSIONS = 32
DAY = 86_400_000
API = f"/v1/profiles/{MEMBER}"


async def roll_up(services: Services) -> None:
    """All of the member's closed sessions but the newest five."""
    evening, live = services.evening, FakeLiveVH()
    live.rows[MEMBER] = {record.playback_session_id: record for record in evening.rows[MEMBER].values()}
    rules = RollUpRules(keep_live=5, chunk_bytes=700)
    compactor = Compactor(live, evening.compressed, FakeMetrics(), rules, lambda: evening.now + DAY)
    assert await compactor.compact(MEMBER) == "published"
    evening.rows[MEMBER] = live.rows[MEMBER]
    assert len(evening.compressed.decided[MEMBER].chunks) > 2


def lose_a_chunk(services: Services) -> int:
    """The number of its sessions."""
    compressed = services.evening.compressed
    chunk = compressed.decided[MEMBER].chunks[0]
    del compressed.bodies[MEMBER, chunk.id]
    return chunk.records


async def get(services: Services, path: str) -> Any:
    answer = await services.history.get(f"{API}/{path}")
    assert answer.status_code == 200
    return answer.json()


async def exported(services: Services) -> list[Any]:
    answer = await services.history.get(f"{API}/export")
    assert answer.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in answer.text.splitlines()]


async def pages(services: Services, limit: int) -> tuple[list[Any], bool]:
    items, complete, cursor = [], True, ""
    while cursor is not None:
        page = await get(services, f"viewing-history?limit={limit}&cursor={cursor}")
        items += page["items"]
        complete = complete and page["complete"]
        cursor = page["next_cursor"]
    return items, complete


@pytest.mark.parametrize("path", ["viewing-history?limit=100", "continue-watching"])
async def test_a_roll_up_changes_no_answer(services: Services, path: str) -> None:
    before = await get(services, path)
    await roll_up(services)
    assert await get(services, path) == before


async def test_pages_run_through_both_stores(services: Services) -> None:
    before = await get(services, "viewing-history?limit=100")
    await roll_up(services)
    assert await pages(services, limit=3) == (before["items"], True)


@pytest.mark.parametrize("page", [3, 2_000])
async def test_an_export_is_every_session_and_then_its_end(
    services: Services, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "EXPORT_PAGE", page)
    before = await get(services, "viewing-history?limit=100")
    await roll_up(services)
    *sessions, end = await exported(services)
    assert sessions == before["items"]
    assert end == {"end": {"sessions": SESSIONS, "complete": True}}


async def test_answers_without_a_lost_chunk_say_so(services: Services) -> None:
    await roll_up(services)
    lost = lose_a_chunk(services)
    assert (await exported(services))[-1] == {"end": {"sessions": SESSIONS - lost, "complete": False}}
    items, complete = await pages(services, limit=7)
    assert (len(items), complete) == (SESSIONS - lost, False)
    assert (await get(services, "continue-watching"))["complete"] is False


async def test_the_newest_page_is_complete_though_an_old_chunk_is_lost(services: Services) -> None:
    await roll_up(services)
    lose_a_chunk(services)
    assert (await get(services, "viewing-history?limit=5"))["complete"] is True


async def test_an_export_while_cassandra_is_away_is_refused_before_it_begins(services: Services) -> None:
    services.evening.away.add("cassandra")
    assert (await services.history.get(f"{API}/export")).status_code == 503


async def test_a_members_page_tells_what_came_from_where(services: Services) -> None:
    await services.pollers.once()
    await roll_up(services)
    live = len(services.evening.rows[MEMBER])
    page = (await services.client.get(f"/members/{MEMBER}")).text
    assert f"{live} sessions from LiveVH, {SESSIONS - live} from CompressedVH" in page
    assert "could not be read" not in page
    lose_a_chunk(services)
    assert "could not be read" in (await services.client.get(f"/members/{MEMBER}")).text
