"""The recommend job from sessions to stored lists; and ALS, which is fitted by Spark."""

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from batch.recommend.als import SparkAls
from batch.recommend.interactions import DAY_MS
from batch.recommend.recommend_job import make, read, write
from batch.recommend.titles import Catalogue
from batch.recommend.views import SESSION_COLUMNS
from tests.fakes import FakeRecommendations
from tests.spark.frames import millis
from tests.unit.batch.recommend.tables import favourites, number, watched

NOW = millis("2023-11-15 00:00")
MINUTE, HOUR = 60_000, 3_600_000
NOTHING_KNOWN = Catalogue({}, {})


@pytest.fixture
def stages() -> dict[str, int]:
    return {}


def sessions(spark: SparkSession, *rows: tuple[str, str, int]) -> DataFrame:
    """Profile, title, minutes watched; all in the Netherlands on one evening."""
    full = [(profile, title, NOW - 4 * HOUR, minutes * MINUTE, "NL") for profile, title, minutes in rows]
    kinds = {"started_at": "bigint", "watched_ms": "bigint"}
    return spark.createDataFrame(full, ", ".join(f"{name} {kinds.get(name, 'string')}" for name in SESSION_COLUMNS))


async def test_sessions_become_stored_lists(spark: SparkSession, stages: dict[str, int]) -> None:
    """A look is no view, but whoever looked gets a list."""
    sessions_df = sessions(
        spark, ("a", "x", 50), ("b", "x", 50), ("b", "y", 50), ("c", "x", 50), ("c", "y", 50), ("looked", "z", 1)
    )
    store = FakeRecommendations()

    made = make(read(sessions_df, stages.__setitem__), NOTHING_KNOWN, NOW, stages.__setitem__)
    assert made is not None
    await write(made, store, stages.__setitem__)

    assert (stages["sessions"], stages["views"], stages["lists of profiles written"]) == (6, 5, 4)
    mine = await store.recommended("profile", "a")
    assert mine is not None
    assert [(item.title_id, item.reason, item.about) for item in mine.items] == [("y", "because", "x")]
    looked = await store.recommended("profile", "looked")
    assert looked is not None
    assert [item.title_id for item in looked.items] == ["x", "y"]
    assert looked == await store.recommended("country", "NL")


def test_nobody_watching_makes_no_lists(spark: SparkSession, stages: dict[str, int]) -> None:
    assert make(read(sessions(spark), stages.__setitem__), NOTHING_KNOWN, NOW, stages.__setitem__) is None
    assert stages == {"sessions": 0, "views": 0}


def test_als_recommends_what_alike_profiles_watch(spark: SparkSession, tmp_path: Path) -> None:
    spark.sparkContext.setCheckpointDir(str(tmp_path))
    space = [(who, title, 1.0) for who in "abcde" for title in ("star wars", "jedi", "alien")]
    love = [(who, title, 1.0) for who in "vwxyz" for title in ("titanic", "ghost", "notting hill")]
    table = watched(*space, *love, ("me", "star wars", 2), ("me", "alien", 2))
    scores = SparkAls(spark, rank=2).fit(table, 3 * DAY_MS)(np.array([number(table, "me")]))[0]
    assert set(favourites(table, scores)[:3]) == {"star wars", "alien", "jedi"}
