from collections import Counter

import numpy as np

from batch.recommend.interactions import DAY_MS
from batch.recommend.lists import LENGTH, recommend
from batch.recommend.ranker import Ranker
from batch.recommend.taste import PopularityByTaste
from batch.recommend.titles import TitleMetadata
from bench.evaluate.features_from_history import FeaturesFromHistory
from domain.recommendations.model import WORLD
from tests.unit.batch.recommend.tables import drawn, watched

AT = 100 * DAY_MS
TASTE = PopularityByTaste({})
RANKER = Ranker(FeaturesFromHistory(), TASTE, min_views=1, min_titles=1)


def test_everybody_gets_a_list_also_who_has_no_history() -> None:
    table = drawn(1)
    made = recommend(table, AT, RANKER, TASTE, dict.fromkeys((*table.profiles, "new"), "NL"), {})
    assert made.model == "ranker"
    assert set(made.profiles) == {*table.profiles, "new"}
    assert set(made.countries) == {"DE", "NL", WORLD}
    assert made.profiles["new"] == made.countries["NL"]
    assert {one.model for one in made.profiles.values()} == {"ranker", "popularity"}


def test_a_profile_of_an_unheard_of_country_gets_the_worlds_list() -> None:
    made = recommend(drawn(1), AT, TASTE, TASTE, {"new": "BR", "newer": None}, {})
    assert made.profiles["new"] == made.profiles["newer"] == made.countries[WORLD]


def test_lists_hold_no_watched_title_none_twice_and_best_first() -> None:
    table = drawn(2)
    made = recommend(table, AT, RANKER, TASTE, {}, {})
    for number, profile in enumerate(table.profiles):
        listed = [item.title_id for item in made.profiles[profile].items]
        seen = {table.titles[title] for title in np.flatnonzero(table.watched[number])}
        assert len(listed) == len(set(listed)) == min(LENGTH, len(table.titles) - len(seen))
        assert not seen & set(listed)
        scores = [item.score for item in made.profiles[profile].items]
        assert scores == sorted(scores, reverse=True)


def test_a_run_that_is_repeated_makes_the_same_lists() -> None:
    first, second = (recommend(drawn(3), AT, RANKER, TASTE, {"new": None}, {}) for _ in range(2))
    assert first == second


def test_while_there_is_too_little_to_learn_from_it_is_popularity_by_taste() -> None:
    made = recommend(watched(("a", "x", 99), ("b", "y", 99)), AT, RANKER, TASTE, {}, {})
    assert made.model == "popularity by taste"
    assert [item.title_id for item in made.profiles["a"].items] == ["y"]


def test_two_weeks_of_a_few_views_per_title_do_not_begin_all_lists_alike() -> None:
    """Each of 40 members has watched four titles of one genre of six in two weeks. Nine of ten titles have fewer than
    five views: no evidence. Without the fallback a few titles of the first day were first for nearly everybody."""
    rng = np.random.default_rng(1)
    metadata = {
        f"g{genre}-{title:02}": TitleMetadata(genres=(f"genre {genre}",)) for genre in range(6) for title in range(30)
    }
    rows = [
        (f"p{who:02}", f"g{who % 6}-{int(title):02}", 86 + 14 * float(day))
        for who in range(40)
        for title, day in zip((30 * rng.random(4) ** 1.5).astype(int), rng.random(4), strict=True)
    ]
    table, fallback = watched(*rows, country="NL"), PopularityByTaste(metadata)
    assert np.mean(table.views < 5) > 0.9
    made = recommend(table, AT, Ranker(FeaturesFromHistory(metadata), fallback), fallback, {}, metadata)
    assert made.model == "popularity by taste"
    lists = [made.profiles[f"p{who:02}"].items for who in range(20)]
    assert max(Counter(items[0].title_id for items in lists).values()) <= len(lists) / 4
    assert all(items[0].title_id.startswith(f"g{who % 6}-") for who, items in enumerate(lists))


def test_titles_that_hardly_anybody_saw_come_after_all_others() -> None:
    table = drawn(4)
    ranker = Ranker(FeaturesFromHistory(), TASTE, min_views=10, min_titles=1)
    made = recommend(table, AT, ranker, TASTE, {}, {})
    assert made.model == "ranker"
    rare = {title for title, views in zip(table.titles, table.views, strict=True) if views < 10}
    for each in made.profiles.values():
        seldom = [item.title_id in rare for item in each.items]
        assert seldom == sorted(seldom)
