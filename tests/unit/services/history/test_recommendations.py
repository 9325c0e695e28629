import pytest

from domain.recommendations.model import Reason
from tests.support.builders import T0, recommendation, recommendation_list, viewing_record
from tests.unit.services.conftest import Services

LIST = recommendation_list(
    items=(
        recommendation("ml-50", 3.0, "because", "ml-181"),
        recommendation("ml-100", 2.5, "country", "NL"),
        recommendation("ml-313", 2.0, "popular"),
    )
)


async def stored(services: Services, **owners: str) -> None:
    await services.pollers.once()
    for audience, owner in owners.items():
        await services.evening.recommendations.write(audience, {owner: LIST})  # type: ignore[arg-type]


async def recommended(services: Services, profile: str) -> list[str]:
    answer = await services.history.get(f"/v1/profiles/{profile}/recommendations")
    return [item["title"]["id"] for item in answer.json()["items"]]


async def test_each_title_comes_with_its_reason(services: Services) -> None:
    await stored(services, profile="new-1")
    answer = await services.history.get("/v1/profiles/new-1/recommendations?limit=2")
    assert answer.json() == {
        "items": [
            {
                "title": {"id": "ml-50", "name": "Star Wars", "year": 1977},
                "reason": {
                    "kind": "because",
                    "text": "Because you watched Return of the Jedi",
                    "title": {"id": "ml-181", "name": "Return of the Jedi", "year": 1983},
                    "country": None,
                    "genre": None,
                },
                "score": 3.0,
            },
            {
                "title": {"id": "ml-100", "name": "Fargo", "year": 1996},
                "reason": {
                    "kind": "country",
                    "text": "Popular in NL",
                    "title": None,
                    "country": "NL",
                    "genre": None,
                },
                "score": 2.5,
            },
        ],
        "model": "ranker",
        "made_at": "2023-11-14T22:13:20.000Z",
        "complete": True,
    }
    assert T0 == 1_700_000_000_000


async def test_what_was_watched_since_is_left_out(services: Services) -> None:
    await stored(services, profile="p")
    services.evening.rows["p"] = {"s": viewing_record(profile_id="p", title_id="ml-100", watched_ms=60_000)}
    assert await recommended(services, "p") == ["ml-50", "ml-313"]


async def test_sessions_of_a_title_add_up(services: Services) -> None:
    await stored(services, profile="p")
    services.evening.rows["p"] = {
        name: viewing_record(profile_id="p", playback_session_id=name, title_id="ml-50", watched_ms=30_000)
        for name in ("tv", "phone")
    }
    assert await recommended(services, "p") == ["ml-100", "ml-313"]


@pytest.mark.parametrize(("days", "left_out"), [(6, True), (8, False)])
async def test_only_what_was_watched_about_since_the_list_was_made_is_read(
    services: Services, days: int, left_out: bool
) -> None:
    """The list itself left out what had been watched before."""
    await stored(services, profile="p")
    started_at = T0 - days * 86_400_000
    services.evening.rows["p"] = {
        "s": viewing_record(profile_id="p", title_id="ml-100", watched_ms=60_000, session_started_at=started_at)
    }
    assert ("ml-100" not in await recommended(services, "p")) is left_out


async def test_a_slip_of_the_finger_is_no_viewing(services: Services) -> None:
    await stored(services, profile="p")
    services.evening.rows["p"] = {"s": viewing_record(profile_id="p", title_id="ml-100", watched_ms=59_999)}
    assert await recommended(services, "p") == ["ml-50", "ml-100", "ml-313"]


async def test_a_new_profile_gets_what_is_popular_where_it_watches(services: Services) -> None:
    await stored(services, country="DE")
    services.evening.rows["p"] = {"s": viewing_record(profile_id="p", title_id="ml-1", country="DE")}
    assert await recommended(services, "p") == ["ml-50", "ml-100", "ml-313"]


async def test_who_has_watched_nothing_gets_what_is_popular_in_the_world(services: Services) -> None:
    await stored(services, country="")
    assert await recommended(services, "nobody") == ["ml-50", "ml-100", "ml-313"]


async def test_an_unlisted_country_falls_back_on_the_world(services: Services) -> None:
    await stored(services, country="")
    services.evening.rows["p"] = {"s": viewing_record(profile_id="p", title_id="ml-1", country="FR")}
    assert await recommended(services, "p") == ["ml-50", "ml-100", "ml-313"]


async def test_before_the_first_run_there_is_nothing(services: Services) -> None:
    answer = await services.history.get("/v1/profiles/p/recommendations")
    assert answer.json() == {"items": [], "model": "none", "made_at": None, "complete": True}


async def test_every_kind_of_reason_has_words(services: Services) -> None:
    reasons: tuple[tuple[Reason, str | None], ...] = (
        ("because", "ml-50"),
        ("country", "NL"),
        ("genre", "Comedy"),
        ("popular", None),
        ("picked", None),
    )
    made = recommendation_list(items=tuple(recommendation(f"t{n}", 1.0, *reason) for n, reason in enumerate(reasons)))
    await services.pollers.once()
    await services.evening.recommendations.write("profile", {"p": made})
    answer = await services.history.get("/v1/profiles/p/recommendations")
    assert [item["reason"]["text"] for item in answer.json()["items"]] == [
        "Because you watched Star Wars",
        "Popular in NL",
        "You often watch Comedy",
        "Popular now",
        "Picked for you",
    ]


async def test_the_page_says_why(services: Services) -> None:
    await stored(services, profile="p")
    page = (await services.client.get("/members/p")).text
    assert "Because you watched Return of the Jedi" in page
    assert "Popular in NL" in page


async def test_the_page_says_how_to_make_some(services: Services) -> None:
    assert "playhead job tables features recommend" in (await services.client.get("/members/p")).text
