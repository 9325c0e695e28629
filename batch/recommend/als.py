"""ALS on Spark, the path that scales out: it reads rows, never a dense matrix, and its factors are small."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, SparkSession

from batch.recommend.interactions import Floats, Interactions, Ints
from batch.recommend.model import Scorer

SEED = 1


@dataclass(frozen=True)
class SparkAls:
    """Implicit feedback (Hu, Koren and Volinsky 2008): a view counts 1 + ``alpha`` × its weight.

    The session needs a checkpoint directory.
    """

    spark: SparkSession = field(repr=False)
    rank: int = 16
    regularisation: float = 0.1
    alpha: float = 1.0
    blocks: int = 2
    """How many parts profiles and titles are split into: one per core of the cluster."""

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
            # Each round builds on the last one; cut off early, the chain of them stays short enough for Java's stack.
            checkpointInterval=2,
            seed=SEED,
        ).fit(self.spark.createDataFrame(rows))
        of_profiles = self._factors(model.userFactors, len(history.profiles))
        of_titles = self._factors(model.itemFactors, len(history.titles))

        def scorer(profiles: Ints) -> Floats:
            return of_profiles[profiles] @ of_titles.T

        return scorer

    def _factors(self, factors_df: DataFrame, count: int) -> Floats:
        """One row of factors each; zeros for what has none."""
        factors = np.zeros((count, self.rank), np.float32)
        for number, values in factors_df.collect():
            factors[number] = values
        return factors
