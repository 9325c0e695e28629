import numpy as np
import pytest

from batch.recommend.logit import Example, LogitModel


def test_it_finds_the_odds_that_the_choices_came_from() -> None:
    """Two titles, one has the feature and three of four profiles choose it: odds of 3, a weight of log 3."""
    features = np.tile(np.array([[[1.0], [0.0]]], np.float32), (4, 1, 1))
    chosen = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    model = LogitModel.fit([Example(features, np.ones((4, 2), np.float32), chosen)], l2=1e-9)
    scores = model.scores(features)[0]
    assert scores[0] - scores[1] == pytest.approx(np.log(3), abs=1e-3)


def test_titles_that_could_not_be_chosen_teach_nothing() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(30, 6, 2)).astype(np.float32)
    chosen = np.zeros((30, 6), np.float32)
    chosen[np.arange(30), rng.integers(0, 5, 30)] = 1
    open_to = np.ones((30, 6), np.float32)
    open_to[:, 5] = 0
    other = features.copy()
    other[:, 5] = -other[:, 5]
    one, two = (LogitModel.fit([Example(each, open_to, chosen)], 1.0) for each in (features, other))
    assert one.weights / one.deviation == pytest.approx(two.weights / two.deviation, rel=0.05)


def test_far_from_its_minimum_it_does_not_run_away() -> None:
    """Whole Newton steps overshoot here: rare choices and a feature with long tails."""
    rng = np.random.default_rng(2)
    features = rng.lognormal(0, 2, size=(60, 200, 3)).astype(np.float32)
    chosen = np.zeros((60, 200), np.float32)
    chosen[np.arange(60), features[..., 0].argmax(1)] = 1
    model = LogitModel.fit([Example(features, np.ones((60, 200), np.float32), chosen)], 1.0)
    assert np.isfinite(model.weights).all()
    hit = (model.scores(features).argmax(1) == features[..., 0].argmax(1)).mean()
    assert hit > 0.9
