"""The protocol: tuning ends before testing starts, and nothing of the future reaches a model."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from batch.recommend.interactions import DAY_MS, Floats, Interactions, Ints
from batch.recommend.model import Scorer
from batch.recommend.popularity import Popularity
from batch.recommend.ranker import Ranker
from batch.recommend.taste import PopularityByTaste
from bench.evaluate.baselines import Ease
from bench.evaluate.evaluation import Candidate, audiences, evaluate
from bench.evaluate.features_from_history import FeaturesFromHistory
from bench.evaluate.scoreboard import BASELINE, interval, rows
from bench.evaluate.temporal_split import Split, rolling
from tests.unit.batch.recommend.tables import drawn, watched

SPLIT = Split("test", tune_from=50 * DAY_MS, test_from=70 * DAY_MS, test_until=100 * DAY_MS)


def ranker(l2: float = 1) -> Ranker:
    return Ranker(FeaturesFromHistory(), PopularityByTaste({}), l2, min_views=1, min_titles=1)


def silent(_: str) -> None: ...


@dataclass(frozen=True)
class Spy:
    """Scores by a constant order; notes what it was given to learn from."""

    sign: int
    fits: list[tuple[int, int]] = field(default_factory=list, repr=False, compare=False)

    def fit(self, history: Interactions, at: int) -> Scorer:
        self.fits.append((at, int(history.time.max())))

        def scorer(profiles: Ints) -> Floats:
            return np.tile(self.sign * np.arange(len(history.titles), dtype=np.float32), (len(profiles), 1))

        return scorer


def test_tuning_ends_before_testing_starts_and_models_see_only_the_past() -> None:
    popular_last, popular_first = Spy(1), Spy(-1)
    window = evaluate(drawn(1), SPLIT, [Candidate("spy", (popular_last, popular_first))], silent)
    assert window.known[0].chosen == repr(popular_first)
    assert [at for at, _ in popular_last.fits] == [SPLIT.tune_from]
    assert [at for at, _ in popular_first.fits] == [SPLIT.tune_from, SPLIT.test_from]
    for at, newest in popular_last.fits + popular_first.fits:
        assert newest < at


def test_every_rolling_plan_tunes_before_it_tests() -> None:
    table = drawn(2)
    splits = list(rolling(table))
    assert len(splits) == 4
    for split in splits:
        assert table.time[0] < split.tune_from < split.test_from < split.test_until
    assert splits[0].test_until == table.time[-1] + 1


def test_a_plan_that_tests_before_it_has_tuned_is_refused() -> None:
    with pytest.raises(ValueError, match="tuning must begin before testing"):
        Split("wrong", tune_from=2, test_from=2, test_until=3)


@given(seed=st.integers(0, 50), other=st.integers(51, 99))
@settings(max_examples=8)
def test_another_future_changes_neither_what_is_chosen_nor_what_is_recommended(seed: int, other: int) -> None:
    """The same past, two futures: parameters and lists of the test are the same; only the verdict differs."""
    table, future = drawn(seed), drawn(other)
    assume((future.profiles, future.titles) == (table.profiles, table.titles))
    parts = table.before(SPLIT.test_from), future.between(SPLIT.test_from, SPLIT.test_until)
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("profile", "title", "time", "weight", "country")
    }
    swapped = replace(table, **joined)
    half_lives = Candidate("decayed", tuple(Popularity(half_life=days) for days in (1, 5, 50)))
    for candidate in (
        half_lives,
        Candidate("ranker", (ranker(1), ranker(100))),
    ):
        chosen, again = (evaluate(each, SPLIT, [candidate], silent).known[0].chosen for each in (table, swapped))
        assert chosen == again
    everybody = np.arange(len(table.profiles))
    for model in (Popularity(days=14), Ease(10), ranker()):
        one, two = (model.fit(each.before(SPLIT.test_from), SPLIT.test_from)(everybody) for each in (table, swapped))
        assert np.array_equal(one, two)


def test_profiles_without_a_history_are_judged_apart() -> None:
    table = watched(
        ("old", "x", 1), ("old", "y", 80), ("new", "x", 80), ("gone", "x", 1), ("again", "x", 1), ("again", "x", 80)
    )
    known, cold = audiences(table.before(SPLIT.test_from), table.between(SPLIT.test_from, SPLIT.test_until))
    assert [table.profiles[each] for each in known.profiles] == ["old"]
    assert [table.profiles[each] for each in cold.profiles] == ["new"]
    assert known.relevant.tolist() == [[0, 1]]


def test_only_what_serves_the_cold_is_judged_by_them() -> None:
    candidates = [Candidate(BASELINE, (Popularity(days=14),), serves_cold=True), Candidate("EASE", (Ease(10),))]
    window = evaluate(drawn(1, profiles=60, rows=200), SPLIT, candidates, silent)
    assert [judged.candidate for judged in window.known] == [BASELINE, "EASE"]
    assert [judged.candidate for judged in window.cold] == [BASELINE]


def test_a_board_pools_windows_and_measures_the_lead_profile_by_profile() -> None:
    candidates = [Candidate(BASELINE, (Popularity(days=14),)), Candidate("same", (Popularity(days=14),))]
    later = Split("later", tune_from=60 * DAY_MS, test_from=80 * DAY_MS, test_until=100 * DAY_MS)
    windows = [evaluate(drawn(1), split, candidates, silent).known for split in (SPLIT, later)]
    baseline, same = rows(windows)
    pooled = np.concatenate([window[0].ndcg100 for window in windows])
    assert baseline.ndcg100.mean == pytest.approx(pooled.mean())
    assert baseline.lead is None
    assert same.lead is not None
    assert (same.lead.mean, same.lead.low, same.lead.high) == (0, 0, 0)
    assert not same.beats_the_baseline


def test_an_interval_holds_its_mean_and_narrows_with_more_profiles() -> None:
    few, many = np.tile([0.0, 1.0], 5), np.tile([0.0, 1.0], 500)
    wide, narrow = (interval(values, np.arange(len(values))) for values in (few, many))
    assert wide.low < narrow.low < 0.5 < narrow.high < wide.high
    assert interval(few, np.arange(10)) == interval(few, np.arange(10))


def test_a_profile_in_many_windows_is_one_witness() -> None:
    """Ten windows of the same two profiles know no more than one window of them."""
    values, whose = np.array([0.0, 1.0]), np.array([0, 1])
    once, often = interval(values, whose), interval(np.tile(values, 10), np.tile(whose, 10))
    assert (once.low, once.high) == (often.low, often.high) == (0, 1)
