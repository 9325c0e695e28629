import numpy as np

from batch.recommend.interactions import DAY_MS
from batch.recommend.lists import LENGTH, recommend
from batch.recommend.popularity import Popularity
from batch.recommend.ranker import Ranker
from bench.evaluate.features_from_history import FeaturesFromHistory
from domain.recommendations.model import WORLD
from tests.unit.batch.recommend.tables import drawn, watched

AT = 100 * DAY_MS
POPULAR = ("popularity", Popularity())
RANKER = ("ranker", Ranker(FeaturesFromHistory()))


def test_everybody_gets_a_list_also_who_has_no_history() -> None:
    table = drawn(1)
    made = recommend(table, AT, RANKER, dict.fromkeys((*table.profiles, "new"), "NL"), {})
    assert made.model == "ranker"
    assert set(made.profiles) == {*table.profiles, "new"}
    assert set(made.countries) == {"DE", "NL", WORLD}
    assert made.profiles["new"] == made.countries["NL"]
    assert {one.model for one in made.profiles.values()} == {"ranker", "popularity"}


def test_a_profile_of_an_unheard_of_country_gets_the_worlds_list() -> None:
    made = recommend(drawn(1), AT, POPULAR, {"new": "BR", "newer": None}, {})
    assert made.profiles["new"] == made.profiles["newer"] == made.countries[WORLD]


def test_lists_hold_no_watched_title_none_twice_and_best_first() -> None:
    table = drawn(2)
    made = recommend(table, AT, RANKER, {}, {})
    for number, profile in enumerate(table.profiles):
        listed = [item.title_id for item in made.profiles[profile].items]
        seen = {table.titles[title] for title in np.flatnonzero(table.watched[number])}
        assert len(listed) == len(set(listed)) == min(LENGTH, len(table.titles) - len(seen))
        assert not seen & set(listed)
        scores = [item.score for item in made.profiles[profile].items]
        assert scores == sorted(scores, reverse=True)


def test_a_run_that_is_repeated_makes_the_same_lists() -> None:
    first, second = (recommend(drawn(3), AT, RANKER, {"new": None}, {}) for _ in range(2))
    assert first == second


def test_while_there_is_too_little_to_learn_from_it_is_popularity() -> None:
    made = recommend(watched(("a", "x", 99), ("b", "y", 99)), AT, RANKER, {}, {})
    assert made.model == "popularity"
    assert [item.title_id for item in made.profiles["a"].items] == ["y"]
