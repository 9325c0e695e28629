"""What Spark makes for the dashboards, from tiny literal frames."""

import json
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from batch.reports.aggregates import STARTUPS, aggregates_by_day, choices, funnel_by_day, viewers_by_minute
from batch.reports.views import SESSION_COLUMNS, exited_before_start, is_viewing, views
from batch.tables.schema_guard import SchemaMismatch, require_columns
from batch.tables.sessions import sessions_of
from domain.quality.formulas import startup_bucket
from infra.runtime.settings import ROOT
from tests.spark.frames import at, events, rows, sessions, ui

DAY = date(2023, 11, 14)
NOW = at("2023-11-15 12:00")
HOUR = timedelta(hours=1)
GOLDEN = json.loads((ROOT / "tests" / "golden" / "quality" / "v1.json").read_text())


def test_missing_and_wrong_columns_are_named(spark: SparkSession) -> None:
    sessions_df = sessions(spark, {}).drop("title_id").selectExpr("* except (watched_ms)", "'1' as watched_ms")

    complaint = (
        r"^title_id is missing; watched_ms is string, expected bigint \(`playhead job tables` adds new columns\)$"
    )
    with pytest.raises(SchemaMismatch, match=complaint):
        require_columns(sessions_df, SESSION_COLUMNS)


def test_a_view_counts_on_the_day_and_in_the_hour_in_which_it_began(spark: SparkSession) -> None:
    sessions_df = sessions(
        spark,
        {"started_at": "2023-11-13 23:59:59", "title_id": "before"},
        {"started_at": "2023-11-14 00:00", "title_id": "first"},
        {"started_at": "2023-11-14 23:59", "received_at": "2023-11-15 02:00", "title_id": "over midnight"},
        {"started_at": "2023-11-15 00:00", "title_id": "after"},
    )

    shown_df = views(sessions_df, [DAY], NOW, HOUR)

    assert rows(shown_df, "title_id", "hour") == [("first", 0), ("over midnight", 23)]


def test_an_unknown_country_is_counted_as_unknown(spark: SparkSession) -> None:
    sessions_df = sessions(
        spark, {"country": None}, {"country": ""}, {"country": " "}, {"country": "ZZ"}, {"country": "NL"}
    )

    aggregates_df = aggregates_by_day(views(sessions_df, [DAY], NOW, HOUR)).where("grouping = 'country'")

    assert rows(aggregates_df, "country", "views") == [("NL", 1), ("unknown", 4)]


def test_one_client_spoils_no_day(spark: SparkSession) -> None:
    a_minute = {"started_at": "2023-11-14 20:00", "received_at": "2023-11-14 20:01", "events": 2, "seq": 1}
    sessions_df = sessions(
        spark,
        a_minute | {"watched_ms": 59_000, "rebuffer_count": 1, "rebuffer_ms": 1_000},
        a_minute | {"watched_ms": 31_622_400_000, "rebuffer_count": 1_000_000, "rebuffer_ms": 60_000},
        a_minute | {"watched_ms": 59_000, "rebuffer_count": 0, "rebuffer_ms": 0, "seq": 1_795_000_000},
    )

    aggregates_df = aggregates_by_day(views(sessions_df, [DAY], NOW, HOUR)).where("grouping = 'all'")

    figures = rows(aggregates_df, "watched_ms", "rebuffer_ms", "rebuffers", "events", "events_sent")
    assert figures == [(59_000 + 300_000 + 59_000, 61_000, 8_201, 6, 2 + 2 + 102)]


def test_a_wrong_clock_and_lost_first_events_move_no_view_to_another_day(spark: SparkSession) -> None:
    times = {"start_time": "2023-11-14 23:30", "event_time": "2023-11-15 00:20", "received_at": "2023-11-15 00:20"}
    event = times | {"session_started_at": "2020-01-01 00:00", "seq": 90, "watched_ms": 49 * 60_000}

    shown_df = views(sessions_of(events(spark, event)), [DAY], NOW, HOUR)

    assert rows(shown_df, "hour", "watched_ms") == [(23, 49 * 60_000)]


FATAL = {"event_type": "error", "error_fatal": True}
OUTCOMES: dict[str, tuple[dict[str, Any], tuple[object, ...]]] = {
    "stopped in its first quarter": ({}, (True, False, False, False, 1)),
    "stopped in its second quarter": ({"playhead_ms": 1_500_000}, (True, False, False, False, 2)),
    "stopped at 90 %": ({"playhead_ms": 5_400_000}, (True, False, False, False, 4)),
    "played beyond 90 %": ({"playhead_ms": 5_400_001}, (True, False, False, True, None)),
    "may go on": ({"event_type": "heartbeat"}, (True, False, False, False, None)),
    "live, without a length": ({"duration_ms": None}, (True, False, False, False, None)),
    "of no length": ({"duration_ms": 0}, (True, False, False, False, None)),
    "failed while playing": (FATAL, (True, True, False, False, 1)),
    "failed before the start": (FATAL | {"startup_time_ms": None}, (False, True, False, False, None)),
    "left before the start": ({"startup_time_ms": None}, (False, False, True, False, None)),
    "may yet start": (
        {"event_type": "play_requested", "startup_time_ms": None},
        (False, False, False, False, None),
    ),
    "silent for over an hour before the start": (
        {"event_type": "play_requested", "startup_time_ms": None, "received_at": "2023-11-14 21:29"},
        (False, False, True, False, None),
    ),
}
"""What happened -> started, failed, exited, finished, left in which quarter."""


def test_how_a_press_of_play_went(spark: SparkSession) -> None:
    sessions_df = sessions(spark, *(state | {"title_id": what} for what, (state, _) in OUTCOMES.items()))

    views_df = views(sessions_df, [DAY], at("2023-11-14 22:30"), HOUR)

    found = {
        what: tuple(outcome)
        for what, *outcome in rows(views_df, "title_id", "started", "failed", "exited", "finished", "left_in")
    }
    assert found == {what: outcome for what, (_, outcome) in OUTCOMES.items()}


def test_spark_says_the_formulas_as_the_worked_examples_do(spark: SparkSession) -> None:
    exits, viewing = GOLDEN["exited_before_start"], GOLDEN["is_viewing"]
    exits_df = spark.createDataFrame([tuple(case["given"]) for case in exits], "e string, s bigint, f boolean")
    viewing_df = spark.createDataFrame([tuple(case["given"]) for case in viewing], "p string, m bigint")

    assert [row[0] for row in exits_df.select(exited_before_start("e", "s", "f")).collect()] == [
        case["result"] for case in exits
    ]
    assert [row[0] for row in viewing_df.select(is_viewing("p", "m")).collect()] == [case["result"] for case in viewing]


def test_sums_of_every_group_in_one_pass(spark: SparkSession) -> None:
    sessions_df = sessions(
        spark,
        {"watched_ms": 90_000, "rebuffer_ms": 30_000, "rebuffer_count": 2, "seq": 9, "events": 8},
        {"device_type": "phone", "watched_ms": 60_000, "startup_time_ms": 60_001, "started_at": "2023-11-14 22:00"},
        {"device_type": "phone", "watched_ms": 0, "startup_time_ms": None},
        {"started_at": "2023-11-13 21:00", "title_id": "ml-9"},
    )

    aggregates_df = aggregates_by_day(views(sessions_df, [date(2023, 11, 13), DAY], NOW, HOUR)).localCheckpoint()

    of_the_day = aggregates_df.where("grouping = 'all' and day = '2023-11-14'").first()
    assert of_the_day is not None
    counted = {name: value for name, value in of_the_day.asDict().items() if value and name not in ("day", "grouping")}
    assert counted == {
        "views": 3,
        "starts": 2,
        "exits": 1,
        "watched_ms": 150_000,
        "rebuffers": 2,
        "rebuffer_ms": 30_000,
        "events": 14,
        "events_sent": 16,
        "left_1": 2,
        STARTUPS[startup_bucket(1_000)]: 1,
        STARTUPS[-1]: 1,
    }
    assert rows(aggregates_df.where("grouping = 'hour'"), "day", "hour", "views") == [
        (date(2023, 11, 13), 21, 1),
        (DAY, 21, 2),
        (DAY, 22, 1),
    ]
    assert rows(aggregates_df.where("grouping = 'version'"), "day", "device_type", "app_version", "views") == [
        (date(2023, 11, 13), "tv", "1.0.0", 1),
        (DAY, "phone", "1.0.0", 2),
        (DAY, "tv", "1.0.0", 1),
    ]
    assert rows(aggregates_df.where("grouping = 'title'"), "day", "title_id", "country", "views") == [
        (date(2023, 11, 13), "ml-9", None, 1),
        (DAY, "ml-50", None, 3),
    ]


def test_every_startup_time_is_in_the_bucket_of_the_formula(spark: SparkSession) -> None:
    times = (0, 250, 251, 1_000, 59_999, 60_000, 60_001)
    sessions_df = sessions(spark, *({"title_id": str(time), "startup_time_ms": time} for time in times))

    aggregates_df = aggregates_by_day(views(sessions_df, [DAY], NOW, HOUR)).where("grouping = 'title'")

    for row in pl.DataFrame(aggregates_df.toArrow()).to_dicts():
        assert [row[name] for name in STARTUPS].index(1) == startup_bucket(int(row["title_id"]))


def test_viewers_of_a_minute_are_sessions_that_watch(spark: SparkSession) -> None:
    def event(session: str, time: str, state: str = "playing") -> dict[str, Any]:
        return {"playback_session_id": session, "event_time": f"2023-11-14 {time}", "player_state": state}

    events_df = events(
        spark,
        event("a", "21:00:05"),
        event("a", "21:00:35"),
        event("b", "21:00:10"),
        event("c", "21:00:10", "paused"),
        event("a", "21:02:05", "stopped"),
        event("b", "21:02:10", "rebuffering") | {"state_since_ms": 0},
    )

    assert rows(viewers_by_minute(events_df), "day", "minute", "viewers") == [(DAY, 21 * 60, 2), (DAY, 21 * 60 + 2, 1)]


class TestFunnel:
    def test_each_step_counts_among_those_of_the_step_before(self, spark: SparkSession) -> None:
        """ml-1 opens two titles, one starts; ml-2 only looks; ml-3 finishes what it opened."""
        ui_df = ui(
            spark,
            {"title_id": "a"},
            {"title_id": "a", "action": "click"},
            {"title_id": "b", "action": "click"},
            {"profile_id": "ml-2"},
            {"profile_id": "ml-3", "title_id": "a"},
            {"profile_id": "ml-3", "title_id": "a", "action": "click"},
            {"profile_id": None},
            {"title_id": None, "action": "view"},
        )
        sessions_df = sessions(
            spark,
            {"title_id": "a"},
            {"title_id": "b", "startup_time_ms": None},
            {"profile_id": "ml-3", "title_id": "a", "playhead_ms": 6_000_000},
        )

        [funnel] = funnel_by_day(choices(ui_df, views(sessions_df, [DAY], NOW, HOUR))).collect()

        assert funnel.asDict() == {
            "day": DAY,
            "shown": 4,
            "opened": 3,
            "played": 3,
            "started": 2,
            "finished": 1,
            "unbrowsed": 0,
            "shown_members": 3,
            "opened_members": 2,
            "played_members": 2,
            "started_members": 2,
            "finished_members": 1,
            "members": 2,
        }

    def test_a_play_that_was_not_opened_on_that_day_is_counted_apart(self, spark: SparkSession) -> None:
        ui_df = ui(
            spark, {"title_id": "seen"}, {"title_id": "late", "action": "click", "event_time": "2023-11-13 23:59"}
        )
        sessions_df = sessions(spark, {"title_id": "seen"}, {"title_id": "late"}, {"title_id": "autoplay"})

        funnel_df = funnel_by_day(choices(ui_df, views(sessions_df, [DAY], NOW, HOUR)))

        columns = ("day", "shown", "opened", "played", "unbrowsed", "members")
        assert rows(funnel_df, *columns) == [(date(2023, 11, 13), 1, 1, 0, 0, 0), (DAY, 1, 0, 0, 3, 1)]
