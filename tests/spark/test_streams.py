"""Who was watched on more streams than the plan allows, from tiny literal frames."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from batch.reports.streams import PLAN_COLUMNS, STREAM_COLUMNS, crowded_accounts
from tests.spark.frames import frame, rows

DAY = date(2023, 11, 14)
PLAN = {"account_id": "a", "seq": 1, "received_at": "2023-11-01 00:00", "streams": 1}
COLUMNS = ("day", "account_id", "allowed", "most", "minutes")


def watched(
    session: str, minutes: Iterable[int], account: str | None = "a", state: str = "playing"
) -> list[dict[str, Any]]:
    """Events of these minutes from 21:00."""
    about = {"playback_session_id": session, "account_id": account, "player_state": state}
    return [
        about | {"event_time": f"2023-11-14 21:{minute:02}:{second:02}"} for minute in minutes for second in (5, 35)
    ]


def crowded(spark: SparkSession, events: list[dict[str, Any]], *plans: dict[str, Any]) -> list[tuple[Any, ...]]:
    fields = dict.fromkeys(STREAM_COLUMNS) | {"state_since_ms": 0}
    events_df = frame(spark, STREAM_COLUMNS, fields, events)
    plans_df: DataFrame = frame(spark, PLAN_COLUMNS, PLAN, plans or ({},))
    return rows(crowded_accounts(events_df, plans_df), *COLUMNS)


def test_two_streams_on_a_plan_of_one_are_found_with_their_minutes(spark: SparkSession) -> None:
    """Both are watched from 21:02 to 21:07: five full minutes lie in between."""
    events = watched("one", range(8)) + watched("two", range(2, 12))
    assert crowded(spark, events) == [(DAY, "a", 1, 2, 5)]


def test_as_many_streams_as_the_plan_allows_are_none(spark: SparkSession) -> None:
    events = watched("one", range(9)) + watched("two", range(9))
    assert crowded(spark, events, {"streams": 2}) == []


def test_one_title_after_the_other_is_one_stream(spark: SparkSession) -> None:
    events = [event for n in range(9) for event in watched(f"session-{n}", range(n * 2, n * 2 + 3))]
    assert crowded(spark, events) == []


def test_a_paused_stream_an_unknown_plan_and_an_event_without_account_are_left_out(spark: SparkSession) -> None:
    events = [
        *watched("one", range(9)),
        *watched("two", range(9), state="paused"),
        *(event for account in ("unknown", None) for n in (3, 4) for event in watched(f"{n}", range(9), account)),
    ]
    assert crowded(spark, events) == []


def test_a_few_minutes_are_no_offence(spark: SparkSession) -> None:
    assert crowded(spark, watched("one", range(9)) + watched("two", range(4, 7))) == []


def test_the_plan_of_the_moment_counts(spark: SparkSession) -> None:
    """Until 21:06 the plan allows two."""
    before = {"seq": 1, "streams": 2}
    after = {"seq": 2, "streams": 1, "received_at": "2023-11-14 21:06"}
    events = watched("one", range(12)) + watched("two", range(12))
    assert crowded(spark, events, before, after) == [(DAY, "a", 1, 2, 6)]
