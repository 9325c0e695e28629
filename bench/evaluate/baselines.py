"""The models that the ranker is compared with, besides popularity."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, SparkSession

from batch.recommend.interactions import Floats, Interactions, Ints
from batch.recommend.model import Scorer
from batch.recommend.similarity import cosine, ease

SEED = 1


@dataclass(frozen=True)
class ItemCosine:
    """Because you watched X: sums the similarity to each watched title, over its ``neighbours`` most similar titles."""

    neighbours: int = 100

    def fit(self, history: Interactions, at: int) -> Scorer:  # noqa: ARG002 - all views count alike
        similar = cosine(history.watched)
        if self.neighbours < len(similar):
            least = np.partition(similar, -self.neighbours, axis=1)[:, -self.neighbours, None]
            similar[similar < least] = 0

        def scorer(profiles: Ints) -> Floats:
            return history.watched[profiles] @ similar

        return scorer


@dataclass(frozen=True)
class Ease:
    l2: float = 300

    def fit(self, history: Interactions, at: int) -> Scorer:  # noqa: ARG002 - all views count alike
        weights = ease(history.watched, self.l2)

        def scorer(profiles: Ints) -> Floats:
            return history.watched[profiles] @ weights

        return scorer


@dataclass(frozen=True)
class SparkAls:
    """ALS on Spark. It scales out: it reads rows, never a dense matrix, and its factors are small.

    Implicit feedback (Hu, Koren and Volinsky 2008): a view counts 1 + ``alpha`` × its weight.

    The session needs a checkpoint directory.
    """

    spark: SparkSession = field(repr=False)
    rank: int = 16
    regularisation: float = 0.1
    alpha: float = 1.0
    blocks: int = 2
    """Blocks of profiles and of titles: one per core of the cluster."""

    def fit(self, history: Interactions, at: int) -> Scorer:  # noqa: ARG002 - all views count alike
        rows = pa.table({"profile": history.profile, "title": history.title, "weight": history.weight})
        model = ALS(
            userCol="profile",
            itemCol="title",
            ratingCol="weight",
            rank=self.rank,
            regParam=self.regularisation,
            alpha=self.alpha,
            implicitPrefs=True,
            numUserBlocks=self.blocks,
            numItemBlocks=self.blocks,
            # Each round's plan contains the one before. A checkpoint cuts it, or it would overflow Java's stack.
            checkpointInterval=2,
            seed=SEED,
        ).fit(self.spark.createDataFrame(rows))
        profile_factors = self._factors(model.userFactors, len(history.profiles))
        title_factors = self._factors(model.itemFactors, len(history.titles))

        def scorer(profiles: Ints) -> Floats:
            return profile_factors[profiles] @ title_factors.T

        return scorer

    def _factors(self, factors_df: DataFrame, count: int) -> Floats:
        """One row of factors each; zeros for a profile or title without any."""
        factors = np.zeros((count, self.rank), np.float32)
        for number, values in factors_df.collect():
            factors[number] = values
        return factors
