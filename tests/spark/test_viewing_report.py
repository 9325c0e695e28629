from datetime import date

from pyspark.sql import SparkSession

from batch.viewing_report import Period, average_week, every_hour, viewing_report
from tests.spark.frames import millis, sessions

WEEK = Period(date(2023, 11, 13), date(2023, 11, 19))


def silent(_stage: str, _rows: int) -> None: ...


def test_hours_in_which_nobody_watched_are_zeros() -> None:
    def hour(text: str, starts: int) -> dict[str, float]:
        return {"hour": millis(text), "starts": starts, "minutes": 10.0 * starts, "failures": 0}

    hours = every_hour([hour("2023-11-14 21:00", 2), hour("2023-11-14 23:00", 1)])

    assert hours == [hour("2023-11-14 21:00", 2), hour("2023-11-14 22:00", 0), hour("2023-11-14 23:00", 1)]


def test_the_average_week_counts_days_without_viewing() -> None:
    tuesdays_at_21 = [{"hour": millis("2023-11-14 21:00"), "minutes": 90.0, "starts": 3}]

    week = average_week(tuesdays_at_21, Period(date(2023, 11, 8), date(2023, 11, 21)))  # two of each weekday

    assert len(week) == 7 * 24
    assert [slot for slot in week if slot["minutes"]] == [{"weekday": 1, "hour": 21, "minutes": 45.0, "starts": 1.5}]


def test_the_average_week_of_one_day_has_one_weekday() -> None:
    week = average_week([], Period(date(2023, 11, 14), date(2023, 11, 14)))

    assert [(slot["weekday"], slot["hour"]) for slot in week] == [(1, hour) for hour in range(24)]


def test_the_report_of_a_few_sessions(spark: SparkSession) -> None:
    sessions_df = sessions(
        spark,
        {"watched_ms": 60_000},
        {"profile_id": "ml-2", "title_id": "ml-1", "watched_ms": 300_000, "country": "BE"},
        {"started_at": "2023-11-20 08:00", "hour": "2023-11-20 08:00", "received_at": "2023-11-20 08:01"},
    )
    titles_df = spark.createDataFrame([("ml-1", "Toy Story", 1995)], "title_id string, name string, year int")

    report = viewing_report(sessions_df, titles_df, WEEK, silent)

    assert (report.first_day, report.last_day) == ("2023-11-13", "2023-11-19")
    assert report.totals["views"] == 2
    assert report.totals["profiles"] == 2
    assert report.totals["minutes"] == 6.0
    assert report.events == 6
    assert report.outside == 1
    assert report.data_until == millis("2023-11-20 08:01")
    assert [(row["hour"], row["starts"]) for row in report.hours] == [(millis("2023-11-14 21:00"), 2)]
    assert [(row["name"], row["year"], row["minutes"]) for row in report.titles] == [
        ("Toy Story", 1995, 5.0),
        ("ml-50", None, 1.0),
    ]
    assert [row["country"] for row in report.countries] == ["BE", "NL"]
    assert [(row["device_type"], row["views"]) for row in report.devices] == [("tv", 2)]


def test_the_report_of_an_empty_lake(spark: SparkSession) -> None:
    nothing_df = sessions(spark, {}).where("false")

    report = viewing_report(
        nothing_df, spark.createDataFrame([], "title_id string, name string, year int"), WEEK, silent
    )

    assert report.totals["views"] == report.totals["profiles"] == report.events == 0
    assert report.data_until is None
    assert report.hours == report.titles == []
