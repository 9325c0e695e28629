from domain.history.reading import RECENT_SESSIONS
from tests.support.builders import T0, viewing_record
from tests.unit.services.conftest import Services


async def test_a_half_watched_title_comes_with_its_bookmark(services: Services) -> None:
    await services.pollers.once()
    services.evening.rows["ml-1"] = {
        "tv": viewing_record(playback_session_id="tv", playhead_ms=3_000_000),
        "over": viewing_record(playback_session_id="over", title_id="ml-100", playhead_ms=5_900_000),
        "phone": viewing_record(playback_session_id="phone", playhead_ms=1_500_000, event_time=T0 + 90_000),
    }
    answer = await services.history.get("/v1/profiles/ml-1/continue-watching")
    assert answer.json() == {
        "items": [
            {
                "title": {"id": "ml-50", "name": "Star Wars", "year": 1977},
                "playback_session_id": "phone",
                "bookmark_ms": 1_500_000,
                "duration_ms": 6_000_000,
                "progress": 0.25,
                "last_watched_at": "2023-11-14T22:14:50.000Z",
                "played": False,
            }
        ],
        "next_cursor": None,
        "complete": True,
    }


async def test_only_the_newest_sessions_are_read(services: Services) -> None:
    services.evening.rows["ml-1"] = {
        str(number): viewing_record(
            playback_session_id=str(number),
            title_id="old" if number == 0 else "new",
            session_started_at=T0 + number,
            playhead_ms=3_000_000,
        )
        for number in range(RECENT_SESSIONS + 1)
    }
    answer = await services.history.get("/v1/profiles/ml-1/continue-watching")
    assert [item["title"]["id"] for item in answer.json()["items"]] == ["new"]
    page = (await services.client.get("/members/ml-1")).text
    assert f"Of the newest {RECENT_SESSIONS} sessions." in page
    assert f"{RECENT_SESSIONS + 1} sessions from LiveVH, 0 from CompressedVH" in page
