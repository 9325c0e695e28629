from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.schema_guard import SchemaMismatch, require_columns
from batch.viewing import (
    SESSION_COLUMNS,
    filter_days,
    summarise,
    with_hour,
    with_known_dimensions,
    with_outcome,
    with_title_names,
)
from tests.spark.frames import at, rows, sessions

HOUR = timedelta(hours=1)


def test_a_session_counts_in_the_hour_in_which_it_started(spark: SparkSession) -> None:
    sessions_df = sessions(spark, {"started_at": "2023-11-14 20:59"}).drop("hour").transform(with_hour)

    assert rows(sessions_df, "hour") == [("2023-11-14 20:00:00",)]


def test_missing_and_wrong_columns_are_named(spark: SparkSession) -> None:
    sessions_df = sessions(spark, {}).drop("title_id").selectExpr("* except (watched_ms)", "'1' as watched_ms")

    with pytest.raises(SchemaMismatch, match=r"^title_id is missing; watched_ms is string, expected bigint$"):
        require_columns(sessions_df, SESSION_COLUMNS)


@pytest.mark.parametrize("country", [None, "", " "])
def test_an_unknown_country_is_counted_as_unknown(spark: SparkSession, country: str | None) -> None:
    sessions_df = sessions(spark, {"country": country}, {"country": "NL"}).transform(with_known_dimensions)

    assert rows(summarise(sessions_df, "country"), "country", "views") == [("NL", 1), ("unknown", 1)]


@pytest.mark.parametrize(
    ("state", "started", "failed", "exited"),
    [
        pytest.param({"event_type": "stopped"}, True, False, False, id="watched and stopped"),
        pytest.param({"event_type": "heartbeat"}, True, False, False, id="still playing"),
        pytest.param({"event_type": "error", "error_fatal": True}, True, True, False, id="failed while playing"),
        pytest.param(
            {"event_type": "error", "error_fatal": True, "startup_time_ms": None},
            *(False, True, False),
            id="failed before the start",
        ),
        pytest.param(
            {"event_type": "stopped", "startup_time_ms": None}, False, False, True, id="left before the start"
        ),
        pytest.param(
            {"event_type": "play_requested", "startup_time_ms": None, "received_at": "2023-11-14 21:30"},
            *(False, False, False),
            id="may yet start",
        ),
        pytest.param(
            {"event_type": "play_requested", "startup_time_ms": None, "received_at": "2023-11-14 20:59"},
            *(False, False, True),
            id="silent for over an hour before the start",
        ),
    ],
)
def test_outcome(spark: SparkSession, state: dict[str, Any], started: bool, failed: bool, exited: bool) -> None:
    sessions_df = sessions(spark, state).drop("started", "failed", "exited")

    outcome_df = sessions_df.transform(with_outcome, at("2023-11-14 22:00"), HOUR)

    assert rows(outcome_df, "started", "failed", "exited") == [(started, failed, exited)]


def test_days_include_both_ends_and_a_session_over_midnight_counts_where_it_began(spark: SparkSession) -> None:
    sessions_df = sessions(
        spark,
        {"started_at": "2023-11-13 23:59:59", "title_id": "before"},
        {"started_at": "2023-11-14 00:00", "title_id": "first"},
        {"started_at": "2023-11-15 23:59", "received_at": "2023-11-16 02:00", "title_id": "over midnight"},
        {"started_at": "2023-11-16 00:00", "title_id": "after"},
    )

    shown_df = sessions_df.transform(filter_days, date(2023, 11, 14), date(2023, 11, 15))

    assert rows(shown_df, "title_id") == [("first",), ("over midnight",)]


def test_every_measure_of_a_group(spark: SparkSession) -> None:
    sessions_df = sessions(
        spark,
        {"watched_ms": 90_000, "rebuffer_ms": 30_000, "startup_time_ms": 800},
        {"watched_ms": 150_000, "rebuffer_ms": 30_000, "startup_time_ms": 2_000, "failed": True},
        {"watched_ms": 60_000, "startup_time_ms": 1_000},
        {"watched_ms": 0, "startup_time_ms": None, "started": False, "exited": True},
    )

    [figures] = summarise(sessions_df).collect()

    assert figures.asDict() == {
        "views": 4,
        "starts": 3,
        "minutes": 5.0,
        "failures": 1,
        "failure_rate": 0.25,
        "exits": 1,
        "exit_rate": 0.25,
        "rebuffer_ratio": pytest.approx(1 / 6),
        "startup_seconds": 1.0,
    }


def test_ratios_without_anything_to_divide_by_are_unknown(spark: SparkSession) -> None:
    never_started = {"watched_ms": 0, "startup_time_ms": None, "started": False, "exited": True}

    figures_df = summarise(sessions(spark, never_started))

    assert rows(figures_df, "rebuffer_ratio", "startup_seconds", "exit_rate") == [(None, None, 1.0)]


def test_figures_for_each_combination_that_occurs(spark: SparkSession) -> None:
    sessions_df = sessions(
        spark, {"device_type": "tv"}, {"device_type": "tv", "app_version": "2.0.0"}, {"device_type": "tv"}
    )

    figures_df = summarise(sessions_df, "device_type", "app_version")

    assert rows(figures_df, "device_type", "app_version", "starts") == [("tv", "1.0.0", 2), ("tv", "2.0.0", 1)]


def test_a_title_that_the_catalogue_does_not_know_goes_by_its_id(spark: SparkSession) -> None:
    figures_df = summarise(sessions(spark, {"title_id": "ml-50"}, {"title_id": "ml-9"}), "title_id")
    titles_df = spark.createDataFrame(
        [("ml-50", "Star Wars", 1977), ("ml-50", "Star Wars", 1977)], "title_id string, name string, year int"
    )

    named_df = figures_df.transform(with_title_names, titles_df)

    assert rows(named_df, "title_id", "name", "year", "views") == [
        ("ml-50", "Star Wars", 1977, 1),
        ("ml-9", "ml-9", None, 1),
    ]
