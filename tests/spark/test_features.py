"""Feature rows as the job's transforms make them: literally, and the same as evaluation's."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from pyspark.sql import SparkSession

from batch.recommend.features_from_tables import FeaturesFromTables, Tables, history, title_metadata
from bench.evaluate.datasets import SESSION_COLUMNS, interactions
from bench.evaluate.features_from_history import FeaturesFromHistory
from tests.spark.feature_tables import MINUTE, inputs, play, show, tables
from tests.spark.frames import at, millis

EARLIER, LATER = date(2023, 11, 1), date(2023, 11, 15)
TITLES: list[tuple[str, int | None, list[str]]] = [("x", 2000, ["Drama"]), ("y", 1980, ["Comedy", "Drama"])]
PLAYS = (
    play("a", "x", "2023-08-17 00:00", 100, country="NL"),
    play("a", "y", "2023-11-10 20:00", 50, country="NL"),
    play("b", "x", "2023-10-20 20:00", 25, country="DE"),
    play("b", "x", "2023-11-10 21:00", 25, country="DE"),
    play("b", "z", "2023-11-14 20:00", 45, country="DE", duration_ms=None),  # 90 minutes, as nobody knows better
    play("c", "y", "2023-11-13 20:00", 3, device_type="phone"),
    play("c", "y", "2023-11-13 22:30", 3),
    # a session across midnight: what happened before it is known, what came after it is not
    play("c", "x", "2023-11-14 23:50", 5, playback_session_id="across", seq=1),
    play("c", "x", "2023-11-15 00:30", 45, playback_session_id="across", seq=2),
    play("a", "z", "2023-11-12 20:00", 60, received_at="2023-11-16 09:00"),  # was offline
    play("a", "x", "2023-11-15 00:00", 100),  # at midnight is after it
)
SHOWS = (
    show("a", "z", "2023-11-10 19:00"),
    show("a", "z", "2023-11-11 19:00"),
    show("a", "z", "2023-11-11 19:01", "click"),
    show("a", "z", "2023-10-17 23:59"),  # longer ago than four weeks
    show("a", "z", "2023-11-12 19:00", received_at="2023-11-15 00:00"),
)


@pytest.fixture(scope="module")
def made(spark: SparkSession) -> Tables:
    return tables(inputs(spark, PLAYS, SHOWS, TITLES), (EARLIER, LATER))


def row(table: pl.DataFrame, as_of: date, **key: str) -> dict[str, Any]:
    [found] = table.filter(as_of=as_of, **key).to_dicts()
    return found


def test_a_profile_is_what_it_did_before_the_midnight(made: Tables) -> None:
    habits = row(made.profiles, LATER, profile_id="c")

    assert habits == habits | {
        "country": "NL",
        "plays_1d": 1,
        "plays_7d": 3,
        "plays_28d": 3,
        "watched_ms_1d": 5 * MINUTE,
        "watched_ms_28d": 11 * MINUTE,
        "completion_rate_28d": 0.0,
        "early_exit_rate_28d": 1.0,
        "plays_by_hour_28d": {20: 1, 22: 1, 47: 1},  # Monday evening; Tuesday, an hour before midnight
        "device_shares_28d": {"phone": 0.333333333, "tv": 0.666666667},
        "longest_sitting_28d": 2,
        "days_since_last": pytest.approx(10 / 1440),
        "watched_titles": 0,
        "genre_shares": {},
        "mean_release_year": None,
        "newest_titles": [],
    }
    taste = row(made.profiles, LATER, profile_id="a")
    drama = 0.5 + 0.5 ** ((4 + 4 / 24) / 90) / 2  # x was 90 days ago, y is half a comedy
    assert taste["newest_titles"] == ["y", "x"]
    assert taste["watched_titles"] == 2
    assert taste["mean_release_year"] == 1990.0
    assert taste["genre_shares"]["Drama"] == pytest.approx(drama / (0.5 + 0.5 ** ((4 + 4 / 24) / 90)))
    assert row(made.profiles, EARLIER, profile_id="a")["plays_28d"] == 0


def test_a_title_is_what_was_watched_of_it_before_the_midnight(made: Tables) -> None:
    film = row(made.titles, LATER, title_id="x")

    assert film == film | {
        "release_year": 2000,
        "genres": ["Drama"],
        "views_7d": 0.0,
        "views_14d": 0.0,
        "views_28d": 0.5,
        "views_90d": 1.5,
        "viewers": 2,
        "popularity": pytest.approx(0.5 ** (90 / 14) + 0.5 * 0.5 ** ((25 + 4 / 24) / 14)),
        "views_28d_by_country": {"DE": 0.5},
        "trend": 0.0,
        "age_days": 90.0,
        "completion_rate_28d": 0.0,
        "early_exit_rate_28d": pytest.approx(1 / 3),
        "rebuffer_ratio_28d": 0.0,
    }
    assert row(made.titles, EARLIER, title_id="x")["views_28d"] == 0.25, "of what is half a film by now"
    assert made.titles.filter(as_of=EARLIER)["title_id"].to_list() == ["x"]
    assert row(made.titles, LATER, title_id="z")["genres"] == []


def test_a_pair_is_what_was_watched_and_what_was_only_shown(made: Tables) -> None:
    assert row(made.pairs, LATER, profile_id="b", title_id="x") == {
        "as_of": LATER,
        "profile_id": "b",
        "title_id": "x",
        "plays": 2,
        "watched_ms": 50 * MINUTE,
        "watched_share": 0.5,
        "bookmark_ms": 25 * MINUTE,
        "first_watched_at": at("2023-10-20 20:00"),
        "last_watched_at": at("2023-11-10 21:00"),
        "days_since": 4.125,
        "country": "DE",
        "impressions_28d": 0,
        "clicks_28d": 0,
    }
    shown = row(made.pairs, LATER, profile_id="a", title_id="z")
    assert (shown["plays"], shown["watched_share"], shown["first_watched_at"]) == (0, 0.0, None)
    assert (shown["impressions_28d"], shown["clicks_28d"]) == (2, 1)
    assert row(made.pairs, LATER, profile_id="c", title_id="x")["watched_ms"] == 5 * MINUTE
    assert row(made.pairs, EARLIER, profile_id="a", title_id="z")["impressions_28d"] == 1


def test_evaluation_knows_of_an_earlier_moment_no_more_than_its_tables(made: Tables) -> None:
    runtimes = {"x": 100 * MINUTE, "y": 100 * MINUTE}
    moment = millis(f"{EARLIER} 00:00")
    table = interactions(known_sessions(millis(f"{LATER} 00:00")), runtimes)

    computed = FeaturesFromHistory(title_metadata(made.at(EARLIER))).at(table, moment)
    published = FeaturesFromTables(made).at(table, moment)

    assert published is not None
    for days, expected in published.views.items():
        assert computed.views[days].tolist() == expected.tolist(), days
    assert computed.views[28].tolist() == [0.25, 0.0, 0.0], "of what is half a film by now"


@pytest.mark.parametrize("as_of", [EARLIER, LATER])
def test_evaluation_computes_the_features_that_the_tables_hold(made: Tables, as_of: date) -> None:
    """Compared with an oracle: the evaluation computes the same features without Spark."""
    moment = millis(f"{as_of} 00:00")
    runtimes = {"x": 100 * MINUTE, "y": 100 * MINUTE}
    table = interactions(known_sessions(moment), runtimes)
    theirs = history(made.at(as_of))
    assert (theirs.profiles, theirs.titles, theirs.countries) == (table.profiles, table.titles, table.countries)
    for name in ("profile", "title", "time", "weight", "country"):
        assert getattr(theirs, name).tolist() == getattr(table, name).tolist(), name

    computed = FeaturesFromHistory(title_metadata(made.at(as_of))).at(table, moment)
    published = FeaturesFromTables(made).at(table, moment)

    assert published is not None
    for name, expected in vars(computed).items():
        found = getattr(published, name)
        for days in expected if name == "views" else ():
            assert found[days].tolist() == expected[days].tolist(), days
        if name != "views":
            np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=name)
    if as_of == LATER:
        assert published.views[90].tolist() == [1.5, 0.5, 0.5]
        assert published.views_28d_by_country.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.5, 0.0]]
        assert published.watched.tolist() == published.newest.tolist() == [[1, 1, 0], [1, 0, 1]]
        assert published.mean_decade.tolist() == [0.0, 1.0]
        assert published.home.tolist() == [1, 0]


def known_sessions(moment: int) -> pl.DataFrame:
    known = [p for p in PLAYS if max(millis(p["event_time"]), millis(p["received_at"])) < moment]
    last = {p["playback_session_id"]: p for p in sorted(known, key=lambda each: each.get("seq", 3))}
    rows = [
        (p["profile_id"], p["title_id"], millis(p["event_time"]), p["watched_ms"], p.get("country", "NL"))
        for p in last.values()
    ]
    return pl.DataFrame(rows, SESSION_COLUMNS, orient="row")
