"""What a profile with a rating limit sees of the history that it has, and of that of others of its account."""

import json
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from domain.identity.tokens import Profile
from domain.titles.catalogue import Title
from tests.support.builders import recommendation, recommendation_list, viewing_record
from tests.support.identity import headers, member, staff
from tests.unit.services.conftest import Services

TITLES = {each: Title(each, maturity=rating) for each, rating in (("kids", "7"), ("horror", "18"), ("unrated", None))}
PROFILES = {"kim": Profile("7", kids=True), "ada": Profile("")}


@dataclass(frozen=True)
class Reader:
    services: Services
    watching: str

    async def titles(self, kind: str, profile: str = "kim") -> list[str]:
        claims = replace(member(self.watching, "account-1"), profiles=PROFILES)
        answer = await self.services.history.get(f"/v1/profiles/{profile}/{kind}", headers=headers(claims))
        assert answer.status_code == 200, answer.text
        if kind == "export":
            lines = [json.loads(line) for line in answer.text.splitlines()]
            assert lines[-1]["end"]["sessions"] == len(lines) - 1
            return [line["title"]["id"] for line in lines[:-1]]
        return [item["title"]["id"] for item in answer.json()["items"]]


@pytest.fixture
def kim(services: Services) -> Reader:
    services.state.catalogue.replace(TITLES)
    for profile in PROFILES:
        services.evening.rows[profile] = {
            name: viewing_record(
                profile_id=profile, playback_session_id=name, title_id=name, playhead_ms=3_000_000, watched_ms=50_000
            )
            for name in TITLES
        }
    return Reader(services, "kim")


KINDS = ("viewing-history", "continue-watching", "export")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_limited_profile_sees_what_is_rated_for_it(kim: Reader, kind: str) -> None:
    assert await kim.titles(kind) == ["kids"]


@pytest.mark.parametrize("kind", KINDS)
async def test_neither_a_child_nor_a_page_of_a_child_s_history_shows_more(kim: Reader, kind: str) -> None:
    parent = Reader(kim.services, "ada")
    assert await kim.titles(kind, "ada") == ["kids"]
    assert await parent.titles(kind, "kim") == ["kids"]
    assert sorted(await parent.titles(kind, "ada")) == ["horror", "kids", "unrated"]


async def test_a_title_above_the_limit_has_no_resume_point(kim: Reader) -> None:
    async def point(title: str) -> int:
        claims = replace(member("kim", "account-1"), profiles=PROFILES)
        address = f"/v1/profiles/kim/resume-point?title_id={title}"
        answer = await kim.services.history.get(address, headers=headers(claims))
        return int(answer.json()["bookmark_ms"])

    assert [await point(title) for title in TITLES] == [3_000_000, 0, 0]


async def test_support_sees_all(kim: Reader) -> None:
    support = headers(staff("support"))
    answer = await kim.services.history.get("/v1/profiles/kim/viewing-history", headers=support)
    assert len(answer.json()["items"]) == 3


async def test_recommendations_and_their_reasons_name_nothing_above_the_limit(kim: Reader) -> None:
    kim.services.evening.rows.clear()
    titles = (
        recommendation("horror", 3.0),
        recommendation("kids", 2.0, "because", "horror"),
        recommendation("kids", 1.0),
    )
    lists = kim.services.evening.recommendations
    await lists.write("profile", {"kim": recommendation_list(items=titles)})
    assert await kim.titles("recommendations") == ["kids"]


async def test_where_nothing_is_left_of_a_profile_s_list_it_is_what_is_popular(kim: Reader) -> None:
    kim.services.evening.rows.clear()
    lists = kim.services.evening.recommendations
    await lists.write("profile", {"kim": recommendation_list(items=(recommendation("horror", 3.0),))})
    await lists.write("country", {"": recommendation_list(items=(recommendation("kids", 1.0),))})
    assert await kim.titles("recommendations") == ["kids"]
