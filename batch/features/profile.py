"""Profile features: how and what a member watches. Pure: DataFrame to DataFrame.

Lists are sorted before they are aggregated, so that equal rows give equal numbers to the last digit.
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from batch.features.definitions import (
    ACTIVITY_DAYS,
    MIN_VIEW_SHARE,
    NEWEST_TITLES,
    PROFILE_FEATURES,
    SITTING_GAP_HOURS,
    TASTE_HALF_LIFE_DAYS,
    WINDOW_DAYS,
)
from batch.features.expressions import days_before, or_empty, rates, within

PROFILE = PROFILE_FEATURES.key


def profile_features(known_df: DataFrame, watched_df: DataFrame, titles_df: DataFrame) -> DataFrame:
    """From sessions (``point_in_time.COLUMNS``), ``pair.watched`` and titles (title_id, year, genres)."""
    return (
        habits(known_df)
        .join(taste(watched_df, titles_df), [*PROFILE], "left")
        .fillna(0, "watched_titles")
        .withColumns({name: or_empty(name, PROFILE_FEATURES.types[name]) for name in ("genre_shares", "newest_titles")})
        .select(*PROFILE_FEATURES.types)
    )


def habits(known_df: DataFrame) -> DataFrame:
    recent = within("event_time", WINDOW_DAYS)
    hour = F.weekday("event_time") * 24 + F.hour("event_time")
    return (
        known_df.groupBy(*PROFILE)
        .agg(
            F.max_by("country", F.struct("event_time", "playback_session_id")).alias("country"),
            *(F.count_if(within("event_time", days)).alias(f"plays_{days}d") for days in ACTIVITY_DAYS),
            *(
                F.sum(F.when(within("event_time", days), F.col("watched_ms")).otherwise(0)).alias(f"watched_ms_{days}d")
                for days in ACTIVITY_DAYS
            ),
            *rates(),
            F.collect_list(F.when(recent, hour)).alias("hours"),
            F.collect_list(F.when(recent, F.col("device_type"))).alias("devices"),
            F.array_sort(F.collect_list(F.when(recent, F.unix_millis("event_time")))).alias("ends"),
            F.max("event_time").alias("newest"),
        )
        .withColumns(
            {
                "plays_by_hour_28d": _count_values("hours", lambda count, _: count.cast("bigint")),
                "device_shares_28d": _count_values("devices", lambda count, total: F.round(count / total, 9)),
                "longest_sitting_28d": _longest_sitting("ends"),
                "days_since_last": days_before("newest"),
            }
        )
    )


def taste(watched_df: DataFrame, titles_df: DataFrame) -> DataFrame:
    vote = F.pow(F.lit(0.5), days_before("first_watched_at") / TASTE_HALF_LIFE_DAYS)
    view = F.struct("first_watched_at", "title_id", "genres", vote.alias("vote"))
    votes = F.flatten(
        F.transform(
            "views",
            lambda view: F.transform(
                view.genres,
                lambda genre: F.struct(genre.alias("genre"), (view.vote / F.size(view.genres)).alias("vote")),
            ),
        )
    )
    names = F.array_sort(F.array_distinct(F.transform("votes", lambda each: each.genre)))
    total = _sum("votes", lambda _: F.lit(True))
    shares = F.transform(names, lambda name: F.round(_sum("votes", lambda each: each.genre == name) / total, 9))
    newest = F.slice(F.reverse(F.transform("views", lambda view: view.title_id)), 1, NEWEST_TITLES)
    return (
        watched_df.where(F.col("watched_share") >= MIN_VIEW_SHARE)
        .join(titles_df.select("title_id", "year", "genres"), "title_id", "left")
        .withColumn("genres", or_empty("genres", "array<string>"))
        .groupBy(*PROFILE)
        .agg(
            F.count("*").alias("watched_titles"),
            F.avg("year").alias("mean_release_year"),
            F.array_sort(F.collect_list(view)).alias("views"),
        )
        .withColumn("votes", votes)
        .withColumns({"genre_shares": F.map_from_arrays(names, shares), "newest_titles": newest})
        .drop("votes", "views")
    )


def _count_values(values: str, result: Callable[[Column, Column], Column]) -> Column:
    """Each distinct value -> ``result`` of its count and the list's length."""
    names = F.array_sort(F.array_distinct(values))

    def of(name: Column) -> Column:
        return result(F.size(F.filter(values, lambda value: value == name)), F.size(values))

    return F.map_from_arrays(names, F.transform(names, of))


def _sum(votes: str, counts: Callable[[Column], Column]) -> Column:
    chosen = F.transform(F.filter(votes, counts), lambda each: each.vote)
    return F.aggregate(chosen, F.lit(0.0), lambda total, vote: total + vote)


def _longest_sitting(ends: str) -> Column:
    """``ends``: sorted milliseconds. A play that ends too long after the one before starts a new sitting."""
    start = F.struct(F.lit(0).alias("longest"), F.lit(0).alias("now"), F.lit(0).cast("bigint").alias("end"))

    def later(state: Column, end: Column) -> Column:
        now = F.when(end - state.end <= SITTING_GAP_HOURS * 3_600_000, state.now + 1).otherwise(1)
        return F.struct(F.greatest(state.longest, now).alias("longest"), now.alias("now"), end.alias("end"))

    return F.aggregate(ends, start, later, lambda state: state.longest)
