"""The recommend job as a person runs it, after the tables job: the lists are in a real Cassandra."""

import asyncio
import json

from infra.clients.cassandra import close, connect
from infra.clients.object_store import ObjectStore
from infra.clients.recommendations import Recommendations
from infra.settings import Settings
from schemas.recommendations import RecommendationList
from tests.integration.batch import tables
from tests.integration.batch.conftest import Command, stages
from tests.integration.batch.test_dashboards_command import TABLES, put, session


def stored(settings: Settings, *profiles: str) -> list[RecommendationList | None]:
    connection = connect(settings)
    store = Recommendations(connection)

    async def read() -> list[RecommendationList | None]:
        return list(await asyncio.gather(*(store.recommended("profile", profile) for profile in profiles)))

    try:
        return asyncio.run(read())
    finally:
        close(connection)


def test_every_profile_of_the_tables_gets_a_list(lake: ObjectStore, command: Command, settings: Settings) -> None:
    """Films of 50 minutes, of which everybody saw five: a view. `shy` pressed play and left: a cold profile."""
    put(
        lake,
        0,
        *[session(n, profile_id=f"recommend-{n}", title_id="ml-1") for n in range(3)],
        *[session(n + 3, profile_id=f"recommend-{n}", title_id="ml-2") for n in range(2)],
        session(9, profile_id="recommend-shy", title_id="ml-2", watched_ms=0),
    )
    titles = [{"title_id": f"ml-{n}", "name": f"Film {n}", "runtime_ms": 3_000_000, "genres": []} for n in (1, 2)]
    lake.put("catalogue/titles.jsonl", "\n".join(map(json.dumps, titles)).encode())
    profiles = ("recommend-0", "recommend-2", "recommend-shy")

    run = command("tables", *TABLES, "--table", "titles", "features", "recommend")

    assert run.returncode == 0, run.stderr
    assert {"profiles": 4, "views": 5, "lists of profiles written": 4}.items() <= stages(run).items()
    features = tables.rows(settings, "profile_features").filter(profile_id="recommend-0")
    assert (
        features.select("plays_7d", "watched_titles", "newest_titles").to_dicts()
        == [{"plays_7d": 2, "watched_titles": 2, "newest_titles": ["ml-2", "ml-1"]}] * 2
    ), "of this midnight and the next"
    first, third, shy = stored(settings, *profiles)
    assert first is not None
    assert first.items == (), "has watched all there is"
    assert third is not None
    assert [(item.title_id, item.reason, item.about) for item in third.items] == [("ml-2", "because", "ml-1")]
    assert shy is not None
    assert [item.title_id for item in shy.items] == ["ml-1", "ml-2"]
