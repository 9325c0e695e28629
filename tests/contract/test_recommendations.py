"""The contract of the recommendation store, for the fake and for Cassandra."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol
from uuid import uuid4

import pytest

from batch.recommend.lists import ListSink
from domain.recommendations.ports import Recommendations as Reads
from infra.engines.cassandra import close, connect
from infra.stores.recommendations_cassandra import Recommendations
from tests.support.builders import T0, recommendation, recommendation_list
from tests.support.fakes import FakeRecommendations


class Store(ListSink, Reads, Protocol): ...


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeRecommendations()
        return
    session = connect(request.getfixturevalue("stack"))
    yield Recommendations(session)
    await asyncio.to_thread(close, session)


@pytest.fixture
def profile() -> str:
    return f"contract-{uuid4()}"


async def test_a_list_is_read_as_it_was_written(store: Store, profile: str) -> None:
    made = recommendation_list(
        items=(
            recommendation("ml-50", reason="because", about="ml-181"),
            recommendation("ml-1", score=-0.25, reason="country", about="NL"),
            recommendation("ml-2", reason="popular", about=None),
        )
    )
    await store.write("profile", {profile: made})
    assert await store.recommended("profile", profile) == made


async def test_an_empty_list_is_a_list(store: Store, profile: str) -> None:
    await store.write("profile", {profile: recommendation_list(items=())})
    assert await store.recommended("profile", profile) == recommendation_list(items=())


async def test_a_profile_without_a_list_has_none(store: Store, profile: str) -> None:
    assert await store.recommended("profile", profile) is None


async def test_profiles_and_countries_are_separate(store: Store, profile: str) -> None:
    popular = recommendation_list(model="popularity")
    await store.write("country", {profile: popular})
    assert await store.recommended("profile", profile) is None
    assert await store.recommended("country", profile) == popular


async def test_a_repeated_run_changes_nothing(store: Store, profile: str) -> None:
    made = recommendation_list()
    await store.write("profile", {profile: made})
    await store.write("profile", {profile: made})
    assert await store.recommended("profile", profile) == made


async def test_a_newer_list_replaces_all_of_an_older_one(store: Store, profile: str) -> None:
    newer = recommendation_list(made_at=T0 + 1, items=(recommendation("ml-9"),))
    await store.write("profile", {profile: recommendation_list(items=tuple(map(recommendation, "abc")))})
    await store.write("profile", {profile: newer})
    assert await store.recommended("profile", profile) == newer


async def test_an_outdated_run_changes_nothing(store: Store, profile: str) -> None:
    newer = recommendation_list(made_at=T0 + 1)
    await store.write("profile", {profile: newer})
    await store.write("profile", {profile: recommendation_list(made_at=T0, items=(recommendation("old"),))})
    assert await store.recommended("profile", profile) == newer


async def test_many_lists_at_once(store: Store, profile: str) -> None:
    lists = {f"{profile}-{n}": recommendation_list(items=(recommendation(f"ml-{n}"),)) for n in range(300)}
    await store.write("profile", lists)
    for owner in (f"{profile}-0", f"{profile}-299"):
        assert await store.recommended("profile", owner) == lists[owner]
