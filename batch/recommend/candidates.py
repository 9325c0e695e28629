"""Who competes, with which parameters to choose from. A new model is one file beside this one and one line here."""

from collections.abc import Mapping

from pyspark.sql import SparkSession

from batch.recommend.als import SparkAls
from batch.recommend.ease import Ease
from batch.recommend.evaluation import Competitor
from batch.recommend.features_from_history import Computed
from batch.recommend.interactions import Interactions
from batch.recommend.item_cosine import ItemCosine
from batch.recommend.popularity import Popularity
from batch.recommend.ranker import Ranker
from batch.recommend.scoreboard import BAR
from batch.recommend.titles import Facts

HALF_LIVES = (3, 7, 14, 28)


def competitors(table: Interactions, facts: Mapping[str, Facts], spark: SparkSession) -> list[Competitor]:
    """``facts``: of each title that is known, by id."""
    found = [
        Competitor(BAR, (Popularity(days=14),), serves_cold=True),
        Competitor("popularity, ever", (Popularity(),), serves_cold=True),
        Competitor("popularity, decayed", tuple(Popularity(half_life=days) for days in HALF_LIVES), serves_cold=True),
        Competitor("because you watched", tuple(ItemCosine(neighbours) for neighbours in (20, 100))),
        Competitor("EASE", tuple(Ease(l2) for l2 in (100, 300, 1000))),
        Competitor("ALS on Spark", (SparkAls(spark),)),
        Competitor("ranker", (Ranker(Computed(facts)),)),
    ]
    if table.countries:
        by_country = tuple(Popularity(half_life=days, by_country=True) for days in HALF_LIVES)
        found.insert(3, Competitor("popularity, by country", by_country, serves_cold=True))
    return found
