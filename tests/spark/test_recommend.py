"""The recommend job from feature tables to stored lists; and ALS, which is fitted by Spark."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from batch.recommend.als import SparkAls
from batch.recommend.interactions import DAY_MS
from batch.recommend.recommend_job import Gathered, make, write
from tests.fakes import FakeRecommendations
from tests.spark.feature_tables import inputs, play, tables
from tests.spark.frames import millis
from tests.unit.batch.recommend.tables import favourites, number, watched

NOW = millis("2023-11-14 23:00")
AS_OF = date(2023, 11, 15)
"""The next midnight: what is known so far."""


@pytest.fixture
def stages() -> dict[str, int]:
    return {}


def gathered(spark: SparkSession, *plays: tuple[str, str, int]) -> Gathered:
    """Profile, title, minutes watched of 90; all in the Netherlands on one evening."""
    events = [play(profile, title, "2023-11-14 20:00", minutes) for profile, title, minutes in plays]
    return Gathered(AS_OF, tables(inputs(spark, events, (), ()), (AS_OF,)))


async def test_plays_become_stored_lists(spark: SparkSession, stages: dict[str, int]) -> None:
    """A look is no view, but whoever looked gets a list."""
    evening = gathered(
        spark, ("a", "x", 50), ("b", "x", 50), ("b", "y", 50), ("c", "x", 50), ("c", "y", 50), ("looked", "z", 1)
    )
    store = FakeRecommendations()

    made = make(evening, NOW, stages.__setitem__)
    assert made is not None
    await write(made, store, stages.__setitem__)

    assert (stages["profiles"], stages["views"], stages["lists of profiles written"]) == (4, 5, 4)
    mine = await store.recommended("profile", "a")
    assert mine is not None
    assert [(item.title_id, item.reason, item.about) for item in mine.items] == [("y", "because", "x")]
    assert mine.made_at == NOW
    looked = await store.recommended("profile", "looked")
    assert looked is not None
    assert [item.title_id for item in looked.items] == ["x", "y"]
    assert looked == await store.recommended("country", "NL")


def test_nobody_watching_makes_no_lists(spark: SparkSession, stages: dict[str, int]) -> None:
    assert make(gathered(spark, ("looked", "z", 1)), NOW, stages.__setitem__) is None
    assert stages == {"profiles": 1, "views": 0}


def test_als_recommends_what_alike_profiles_watch(spark: SparkSession, tmp_path: Path) -> None:
    spark.sparkContext.setCheckpointDir(str(tmp_path))
    space = [(who, title, 1.0) for who in "abcde" for title in ("star wars", "jedi", "alien")]
    love = [(who, title, 1.0) for who in "vwxyz" for title in ("titanic", "ghost", "notting hill")]
    table = watched(*space, *love, ("me", "star wars", 2), ("me", "alien", 2))
    scores = SparkAls(spark, rank=2).fit(table, 3 * DAY_MS)(np.array([number(table, "me")]))[0]
    assert set(favourites(table, scores)[:3]) == {"star wars", "alien", "jedi"}
