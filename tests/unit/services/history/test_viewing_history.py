import pytest

from tests.support.builders import T0, viewing_record
from tests.support.evening_viewing import MEMBER
from tests.unit.services.conftest import Services

PATH = f"/v1/profiles/{MEMBER}/viewing-history"


async def test_an_item_tells_all_about_a_session(services: Services) -> None:
    await services.pollers.once()
    services.evening.rows["ml-1"] = {"s": viewing_record(error_code="drm", received_at=T0)}
    answer = await services.history.get("/v1/profiles/ml-1/viewing-history")
    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "playback_session_id": "018bcfe5-6800-7000-8000-000000000001",
                "title": {"id": "ml-50", "name": "Star Wars", "year": 1977},
                "title_class": "film",
                "started_at": "2023-11-14T22:13:20.000Z",
                "last_event_at": "2023-11-14T22:14:20.100Z",
                "bookmark_ms": 58_000,
                "duration_ms": 6_000_000,
                "watched_ms": 58_000,
                "played": False,
                "watched_share": 0.0097,
                "state": "playing",
                "last_event": "heartbeat",
                "device": {"id": "device-1", "type": "tv", "app_version": "1.0.0"},
                "country": "NL",
                "quality": {"startup_time_ms": 1500, "rebuffer_count": 0, "rebuffer_ms": 0, "bitrate_kbps": 4500},
                "error": {"code": "drm", "fatal": False},
            }
        ],
        "next_cursor": None,
        "complete": True,
    }


async def test_a_live_stream_has_no_watched_share_and_an_unknown_title_no_name(services: Services) -> None:
    services.evening.rows["ml-1"] = {"s": viewing_record(duration_ms=None, title_id="elsewhere")}
    (item,) = (await services.history.get("/v1/profiles/ml-1/viewing-history")).json()["items"]
    assert item["watched_share"] is None
    assert item["title"] == {"id": "elsewhere", "name": None, "year": None}


async def test_pages_show_every_session_once_newest_first(services: Services) -> None:
    seen: list[str] = []
    starts: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await services.history.get(PATH, params={"limit": 7, **({"cursor": cursor} if cursor else {})})).json()
        seen += [item["playback_session_id"] for item in page["items"]]
        starts += [item["started_at"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 32
    assert set(seen) == set(services.evening.rows[MEMBER])
    assert starts == sorted(starts, reverse=True)


async def test_a_new_member_has_an_empty_history(services: Services) -> None:
    answer = await services.history.get("/v1/profiles/brand-new/viewing-history")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None, "complete": True})


async def test_an_id_may_hold_a_slash_and_any_unicode(services: Services) -> None:
    services.evening.rows["a/ü"] = {"s": viewing_record(profile_id="a/ü")}
    answer = await services.history.get("/v1/profiles/a%2F%C3%BC/viewing-history")
    assert len(answer.json()["items"]) == 1


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (f"{PATH}?limit=0", "limit"),
        (f"{PATH}?limit=201", "limit"),
        (f"{PATH}?limit=many", "limit"),
        (f"{PATH}?cursor=nonsense", "cursor"),
        (f"{PATH}?cursor=%C3%BC", "cursor"),
        (f"/v1/profiles/{'x' * 65}/viewing-history", "profile_id"),
        (f"/v1/profiles/{'x' * 65}/continue-watching", "profile_id"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(services: Services, address: str, field: str) -> None:
    answer = await services.history.get(address)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert field in answer.json()["detail"]
    assert set(answer.json()) == {"type", "title", "status", "detail", "code", "field"}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_while_cassandra_is_away_clients_are_told_when_to_ask_again(services: Services) -> None:
    services.evening.away.add("cassandra")
    answer = await services.history.get(PATH)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The data cannot be read now. Ask again in 5 seconds.",
        "code": "unavailable",
    }
