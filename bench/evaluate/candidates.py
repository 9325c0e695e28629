"""The models that are compared, each with its variants to choose from. A new model is one class and one line here."""

from collections.abc import Mapping

from pyspark.sql import SparkSession

from batch.recommend.interactions import Interactions
from batch.recommend.popularity import Popularity
from batch.recommend.ranker import Ranker
from batch.recommend.taste import PopularityByTaste
from batch.recommend.titles import TitleMetadata
from bench.evaluate.baselines import Ease, ItemCosine, SparkAls
from bench.evaluate.evaluation import Candidate
from bench.evaluate.features_from_history import FeaturesFromHistory
from bench.evaluate.scoreboard import BASELINE

HALF_LIVES = (3, 7, 14, 28)
STRENGTHS = (0.5, 1.0, 2.0)


def candidates(table: Interactions, metadata: Mapping[str, TitleMetadata], spark: SparkSession) -> list[Candidate]:
    """``metadata``: of each known title, by id."""
    found = [
        Candidate(BASELINE, (Popularity(days=14),), serves_cold=True),
        Candidate("popularity, ever", (Popularity(),), serves_cold=True),
        Candidate("popularity, decayed", tuple(Popularity(half_life=days) for days in HALF_LIVES), serves_cold=True),
        Candidate("because you watched", tuple(ItemCosine(neighbours) for neighbours in (20, 100))),
        Candidate("EASE", tuple(Ease(l2) for l2 in (100, 300, 1000))),
        Candidate("ALS on Spark", (SparkAls(spark),)),
        Candidate("popularity by taste", tuple(PopularityByTaste(metadata, strength=each) for each in STRENGTHS)),
        Candidate("ranker", (Ranker(FeaturesFromHistory(metadata), PopularityByTaste(metadata)),)),
    ]
    if table.countries:
        by_country = tuple(Popularity(half_life=days, by_country=True) for days in HALF_LIVES)
        found.insert(3, Candidate("popularity, by country", by_country, serves_cold=True))
    return found
