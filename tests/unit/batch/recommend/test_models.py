from dataclasses import replace
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from batch.recommend.interactions import COLUMNS, DAY_MS, Interactions
from batch.recommend.model import Model
from batch.recommend.popularity import Popularity
from batch.recommend.ranker import Ranker, TooLittleHistory, training_times
from batch.recommend.similarity import cosine
from batch.recommend.taste import PopularityByTaste
from batch.recommend.titles import TitleMetadata
from bench.evaluate.baselines import Ease, ItemCosine
from bench.evaluate.features_from_history import FeaturesFromHistory
from tests.unit.batch.recommend.tables import drawn, favourites, number, watched

METADATA = {
    f"t{title:02}": TitleMetadata(1980 + title, ("Drama",) if title % 3 else ("Comedy", "Romance"))
    for title in range(30)
}
MODELS: list[Model] = [
    Popularity(half_life=7),
    Popularity(days=14, by_country=True),
    ItemCosine(5),
    Ease(10),
    PopularityByTaste(METADATA),
    Ranker(FeaturesFromHistory(METADATA), PopularityByTaste(METADATA), min_views=1, min_titles=1),
]


def top(model: Model, table: Interactions, day: float, profile: str = "me") -> list[str]:
    return favourites(table, model.fit(table, round(day * DAY_MS))(np.array([number(table, profile)]))[0])


class TestPopularity:
    table = watched(
        ("a", "old", 0), ("b", "old", 0), ("c", "old", 0), ("a", "new", 19), ("b", "new", 19), ("me", "x", 1)
    )

    def test_all_views_count_alike_without_a_window(self) -> None:
        assert top(Popularity(), self.table, 20) == ["old", "new", "x"]

    def test_a_window_forgets(self) -> None:
        assert top(Popularity(days=14), self.table, 20) == ["new", "old", "x"]

    def test_a_view_is_worth_half_after_each_half_life(self) -> None:
        assert top(Popularity(half_life=40), self.table, 20) == ["old", "new", "x"]  # 3 × 0.71 against 2 × 0.98
        assert top(Popularity(half_life=20), self.table, 20) == ["new", "old", "x"]  # 3 × 0.5 against 2 × 0.97

    def test_a_country_has_its_own_and_the_world_orders_the_rest(self) -> None:
        rows = [
            ("d1", "x", 1, 1.0, "DE"),
            ("d2", "x", 1, 1.0, "DE"),
            ("d2", "w", 1, 1.0, "DE"),
            ("d3", "z", 1, 0.5, "DE"),
            ("n1", "y", 1, 1.0, "NL"),
            ("nowhere", "y", 1, 1.0, None),
        ]
        table = Interactions.of(pl.DataFrame(rows, COLUMNS, orient="row"))
        model = Popularity(by_country=True)
        assert top(model, table, 1, "n1") == ["y", "x", "w", "z"]
        assert top(model, table, 1, "d1") == ["x", "w", "z", "y"]
        assert top(model, table, 1, "nowhere") == ["x", "y", "w", "z"]


class TestItemToItem:
    table = watched(
        *[(profile, title, 1) for profile in "abc" for title in ("star wars", "jedi")],
        *[(profile, "titanic", 1) for profile in "abcdefgh"],
        ("me", "star wars", 2),
    )

    def test_cosine_is_shared_profiles_over_the_mean_audience(self) -> None:
        similar = cosine(self.table.watched)
        jedi, wars, titanic = (self.table.titles.index(title) for title in ("jedi", "star wars", "titanic"))
        assert similar[wars, jedi] == pytest.approx(3 / np.sqrt(4 * 3))
        assert similar[wars, titanic] == pytest.approx(3 / np.sqrt(4 * 8))
        assert similar[wars, wars] == 0

    @pytest.mark.parametrize("model", [ItemCosine(), Ease(1)])
    def test_what_the_same_people_watch_comes_first(self, model: Model) -> None:
        ranked = [title for title in top(model, self.table, 3) if title != "star wars"]
        assert ranked == ["jedi", "titanic"]

    def test_only_the_nearest_neighbours_count(self) -> None:
        scores = ItemCosine(1).fit(self.table, 0)(np.array([number(self.table, "me")]))[0]
        assert np.count_nonzero(scores) == 1


@pytest.mark.parametrize("model", MODELS, ids=repr)
class TestEveryModel:
    def test_fitted_twice_it_gives_the_same_scores(self, model: Model) -> None:
        table, everybody = drawn(7), np.arange(40)
        at = 100 * DAY_MS
        assert np.array_equal(model.fit(table, at)(everybody), model.fit(table, at)(everybody))

    def test_its_scores_are_finite_for_profiles_without_a_history(self, model: Model) -> None:
        table = drawn(3)
        newcomer = replace(table, profiles=(*table.profiles, "newcomer"))
        scores = model.fit(newcomer, 100 * DAY_MS)(np.array([40, 0]))
        assert scores.shape == (2, 30)
        assert np.isfinite(scores).all()

    def test_a_profile_gets_the_same_alone_as_among_others(self, model: Model) -> None:
        scorer = model.fit(drawn(5), 100 * DAY_MS)
        assert scorer(np.array([3])) == pytest.approx(scorer(np.arange(10))[3:4], abs=1e-4)


class TestPopularityByTaste:
    metadata: ClassVar = {
        "hit": TitleMetadata(genres=("Drama",)),
        "comedy": TitleMetadata(genres=("Comedy",)),
        **{f"mine {n}": TitleMetadata(genres=("Comedy",)) for n in range(4)},
    }
    table = watched(
        *[(who, "hit", 19.0) for who in "abcd"],
        *[(who, "comedy", 19.0) for who in "ab"],
        *[("me", f"mine {n}", 18.0) for n in range(4)],
        ("stranger", "unknown", 18.0),
    )

    def test_genres_that_a_profile_watches_come_before_bigger_hits(self) -> None:
        assert top(PopularityByTaste(self.metadata), self.table, 20)[0] == "comedy"

    def test_without_known_genres_it_is_popularity(self) -> None:
        assert top(PopularityByTaste(self.metadata), self.table, 20, "stranger")[:2] == ["hit", "comedy"]
        assert top(PopularityByTaste({}), self.table, 20)[:2] == ["hit", "comedy"]


class TestRanker:
    def test_it_learns_that_fresh_titles_are_watched(self) -> None:
        """Every week has a new title: half of the profiles watch it at once, the others a week later. Only the first
        half ever watched the old hit, so the others choose between it and what is fresh."""
        late = {f"p{who}": 7 * (who % 2) for who in range(20)}
        views = [(who, f"week{week:02}", week * 7 + delay + 1.0) for week in range(12) for who, delay in late.items()]
        views += [(who, "old hit", 0.5) for who, delay in late.items() if not delay]
        table = watched(("me", "week00", 1), *(view for view in views if view[2] < 84))
        ranker = Ranker(FeaturesFromHistory(), PopularityByTaste({}), min_views=1, min_titles=1)
        ranked = top(ranker, table, 84)
        assert set(ranked[:2]) == {"week10", "week11"}
        assert ranked.index("old hit") > 2

    def test_without_earlier_weeks_it_refuses_to_fit(self) -> None:
        ranker = Ranker(FeaturesFromHistory(), PopularityByTaste({}), min_views=1, min_titles=1)
        with pytest.raises(TooLittleHistory):
            ranker.fit(watched(("a", "x", 1), ("b", "x", 1)), 2 * DAY_MS)

    def test_it_needs_a_list_of_titles_with_evidence(self) -> None:
        with pytest.raises(TooLittleHistory, match=r"30 titles with 5 views"):
            Ranker(FeaturesFromHistory(), PopularityByTaste({})).fit(drawn(1), 100 * DAY_MS)

    @pytest.mark.parametrize(
        ("since", "horizon", "back"),
        [(100, 28, [28, 42, 56, 70]), (14.5, 4, [4, 6, 8, 10]), (3.5, 1, [1, 2, 3, 4]), (2.9, 0, [])],
    )
    def test_it_looks_back_by_whole_days_and_never_beyond_the_moment(
        self, since: float, horizon: int, back: list[int]
    ) -> None:
        """So that tables with a row a day have the rows that it asks for."""
        ahead, moments = training_times(watched(("a", "x", 200 - since)), 200 * DAY_MS)
        assert ahead == horizon * DAY_MS
        assert moments == [(200 - days) * DAY_MS for days in back]
