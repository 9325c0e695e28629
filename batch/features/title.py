"""Title features: a title's popularity, by country, and how its plays went. Pure: DataFrame to DataFrame."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.features.definitions import (
    MIN_VIEW_SHARE,
    POPULARITY_HALF_LIFE_DAYS,
    TITLE_FEATURES,
    VIEW_DAYS,
    WINDOW_DAYS,
)
from batch.features.expressions import days_before, or_empty, rates, within

TITLE = TITLE_FEATURES.key
_VIEWS = {days: f"views_{days}d" for days in VIEW_DAYS}


def title_features(known_df: DataFrame, watched_df: DataFrame, titles_df: DataFrame) -> DataFrame:
    """From sessions (``point_in_time.COLUMNS``), ``pair.watched`` and titles (title_id, year, genres)."""
    metadata_df = titles_df.select("title_id", F.col("year").alias("release_year"), "genres")
    return (
        reception(known_df)
        .join(popularity(watched_df), [*TITLE], "left")
        .join(metadata_df, "title_id", "left")
        .fillna(0, [*_VIEWS.values(), "viewers", "popularity"])
        .withColumns(
            {
                name: or_empty(name, TITLE_FEATURES.types[name])
                for name in ("genres", "popularity_by_country", "views_28d_by_country")
            }
        )
        .select(*TITLE_FEATURES.types)
    )


def reception(known_df: DataFrame) -> DataFrame:
    """How the plays of each title went."""
    recent = within("event_time", WINDOW_DAYS)
    stalled, shown = F.sum(F.when(recent, F.col("rebuffer_ms"))), F.sum(F.when(recent, F.col("watched_ms")))
    ratio = stalled / F.nullif(stalled + shown, F.lit(0))
    return known_df.groupBy(*TITLE).agg(*rates(), ratio.alias("rebuffer_ratio_28d"))


def popularity(watched_df: DataFrame) -> DataFrame:
    """Counts views by country, then sums over all countries."""
    decay = F.pow(F.lit(0.5), days_before("first_watched_at") / POPULARITY_HALF_LIFE_DAYS)
    share = F.col("watched_share")
    by_country_df = (
        watched_df.where(share >= MIN_VIEW_SHARE)
        .groupBy(*TITLE, "country")
        .agg(
            *(
                F.sum(F.when(within("first_watched_at", days), share).otherwise(0.0)).alias(name)
                for days, name in _VIEWS.items()
            ),
            F.count("*").alias("viewers"),
            F.sum(share * decay).alias("popularity"),
            F.min("first_watched_at").alias("first_view"),
        )
    )
    month = _VIEWS[28]
    return (
        by_country_df.groupBy(*TITLE)
        .agg(
            *(F.round(F.sum(name), 9).alias(name) for name in (*_VIEWS.values(), "popularity")),
            F.sum("viewers").alias("viewers"),
            F.min("first_view").alias("first_view"),
            _map("country", "popularity").alias("popularity_by_country"),
            _map("country", month, F.col(month) > 0).alias("views_28d_by_country"),
        )
        .withColumn("trend", F.round(F.col(_VIEWS[7]) * 4 / F.nullif(month, F.lit(0.0)), 9))
        .withColumn("age_days", days_before("first_view"))
    )


def _map(key: str, value: str, chosen: Column | None = None) -> Column:
    """Aggregate: a map of key -> value of the group's rows, without null keys and rows that are not ``chosen``."""
    wanted = F.col(key).isNotNull() if chosen is None else F.col(key).isNotNull() & chosen
    entry = F.struct(F.col(key), F.round(value, 9))
    return F.map_from_entries(F.array_sort(F.collect_list(F.when(wanted, entry))))
