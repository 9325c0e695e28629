"""Browsing and views -> how many of the titles shown were opened, played, started and finished. Pure."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

UI_COLUMNS = {"event_time": "timestamp", "profile_id": "string", "title_id": "string", "action": "string"}
"""The columns of UI events that are read."""
STEPS = ("shown", "opened", "played", "started", "finished")
"""A step only counts choices that reached the step before, so no step has more than its predecessor."""
_CHOICE = ("day", "profile_id", "title_id")


def choices(ui_df: DataFrame, views_df: DataFrame) -> DataFrame:
    """One row per day, profile and title that was shown or played: STEPS as booleans, and ``unbrowsed``.

    unbrowsed: played without a click on the title on that day (autoplay, a link, a click before midnight). The funnel
    does not count these plays; ``funnel_by_day`` counts them apart.
    """
    saw = F.col("action").isin("impression", "click") & F.col("profile_id").isNotNull() & F.col("title_id").isNotNull()
    browsed_df = (
        ui_df.where(saw)
        .groupBy(F.to_date("event_time").alias("day"), "profile_id", "title_id")
        .agg(F.bool_or(F.col("action") == "click").alias("opened"))
        .withColumn("shown", F.lit(True))
    )
    played_df = views_df.groupBy(*_CHOICE).agg(
        F.lit(True).alias("played"), F.bool_or("started").alias("started"), F.bool_or("finished").alias("finished")
    )
    joined_df = browsed_df.join(played_df, [*_CHOICE], "full").na.fill(False, [*STEPS])
    so_far, nested = F.lit(True), {}
    for step in STEPS:
        so_far = so_far & F.col(step)
        nested[step] = so_far
    return joined_df.select(
        *_CHOICE, F.col("played").alias("pressed_play"), *(c.alias(n) for n, c in nested.items())
    ).select("*", (F.col("pressed_play") & ~F.col("opened")).alias("unbrowsed"))


def funnel_by_day(choices_df: DataFrame) -> DataFrame:
    """``day``; for each step its choices and ``<step>_members``; ``unbrowsed``; ``members`` who pressed play."""
    a_member_df = choices_df.groupBy("day", "profile_id").agg(
        *(F.count_if(step).alias(step) for step in (*STEPS, "unbrowsed", "pressed_play"))
    )
    return a_member_df.groupBy("day").agg(
        *(F.sum(step).alias(step) for step in (*STEPS, "unbrowsed")),
        *(F.count_if(F.col(step) > 0).alias(f"{step}_members") for step in STEPS),
        F.count_if(F.col("pressed_play") > 0).alias("members"),
    )
