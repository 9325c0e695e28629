"""The recommend job from feature tables to stored lists; and ALS, which is fitted by Spark."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pyspark.sql import SparkSession

from batch.recommend.features_from_tables import Tables
from batch.recommend.interactions import DAY_MS
from batch.recommend.recommend_job import TrainingData, make_lists, read_training_data, write
from batch.tables.lake_errors import LakeError
from bench.evaluate.baselines import SparkAls
from tests.spark.feature_tables import inputs, play, tables
from tests.spark.frames import millis
from tests.support.fakes import FakeRecommendations
from tests.unit.batch.recommend.tables import favourites, number, watched

NOW = millis("2023-11-14 23:00")
AS_OF = date(2023, 11, 15)
"""The next midnight: what is known so far."""
LOOKED = (pl.col("profile_id") == "looked", pl.col("title_id") == "z", pl.col("profile_id") == "looked")
"""Of profiles, titles and pairs."""


@pytest.fixture
def stages() -> dict[str, int]:
    return {}


@pytest.fixture(scope="module")
def evening(spark: SparkSession) -> Tables:
    """One evening in the Netherlands: profile, title, minutes watched of 90."""
    plays = (("a", "x", 50), ("b", "x", 50), ("b", "y", 50), ("c", "x", 50), ("c", "y", 50), ("looked", "z", 1))
    events = [play(profile, title, "2023-11-14 20:00", minutes) for profile, title, minutes in plays]
    return tables(inputs(spark, events, (), ()), (AS_OF,))


async def test_plays_become_stored_lists(evening: Tables, stages: dict[str, int]) -> None:
    """A few seconds are no view, but the profile gets a list."""
    store = FakeRecommendations()

    made = make_lists(TrainingData(AS_OF, evening), NOW, stages.__setitem__)
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


def test_nobody_watching_makes_no_lists(evening: Tables, stages: dict[str, int]) -> None:
    looked = Tables(*(rows.filter(of) for rows, of in zip(vars(evening).values(), LOOKED, strict=True)))

    assert make_lists(TrainingData(AS_OF, looked), NOW, stages.__setitem__) is None
    assert stages == {"profiles": 1, "views": 0}


def test_without_feature_tables_it_is_said_which_job_makes_them(
    spark: SparkSession, namespace: str, stages: dict[str, int]
) -> None:
    with pytest.raises(LakeError, match="`playhead job features` makes it"):
        read_training_data(spark, namespace, stages.__setitem__)


def test_als_recommends_what_alike_profiles_watch(spark: SparkSession, tmp_path: Path) -> None:
    spark.sparkContext.setCheckpointDir(str(tmp_path))
    space = [(who, title, 1.0) for who in "abcde" for title in ("star wars", "jedi", "alien")]
    love = [(who, title, 1.0) for who in "vwxyz" for title in ("titanic", "ghost", "notting hill")]
    table = watched(*space, *love, ("me", "star wars", 2), ("me", "alien", 2))
    scores = SparkAls(spark, rank=2).fit(table, 3 * DAY_MS)(np.array([number(table, "me")]))[0]
    assert set(favourites(table, scores)[:3]) == {"star wars", "alien", "jedi"}
