"""Measures, worked by hand."""

import numpy as np
import pytest

from batch.recommend.model import top_k
from bench.evaluate.metrics import coverage, long_tail_share, ndcg, novelty, recall

LISTS = np.array([[2, 0, 1], [3, 4, -1]])
RELEVANT = np.array([[1, 1, 0, 0, 0], [0, 1, 0, 0, 1]], np.float32)


def test_ndcg_counts_hits_by_place_over_a_perfect_list() -> None:
    """First row: hits at places 2 and 3 of 2 relevant; second: at place 2 of 2."""
    first = (1 / np.log2(3) + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    second = (1 / np.log2(3)) / (1 + 1 / np.log2(3))
    assert ndcg(LISTS, RELEVANT, 3) == pytest.approx([first, second])
    assert (round(first, 4), round(second, 4)) == (0.6934, 0.3869)


def test_ndcg_of_a_short_list_expects_no_more_than_fits() -> None:
    assert ndcg(np.array([[0]]), np.array([[1, 1, 1]], np.float32), 1) == pytest.approx([1.0])


def test_ndcg_of_a_perfect_list_is_one_and_of_a_wrong_one_zero() -> None:
    relevant = np.array([[0, 1, 1]], np.float32)
    assert ndcg(np.array([[2, 1, 0]]), relevant, 100) == pytest.approx([1.0])
    assert ndcg(np.array([[0, -1, -1]]), relevant, 100) == pytest.approx([0.0])


def test_recall_is_the_part_that_was_found() -> None:
    assert recall(LISTS, RELEVANT, 2).tolist() == [0.5, 0.5]
    assert recall(LISTS, RELEVANT, 3).tolist() == [1.0, 0.5]


def test_coverage_counts_titles_that_anybody_is_shown() -> None:
    assert coverage(LISTS, titles=10) == 0.5
    assert coverage(LISTS, titles=10, k=1) == 0.2


def test_novelty_is_in_halvings_of_the_audience() -> None:
    """Of 8 profiles 8, 4, 2, 1 and none have watched the titles; none counts as half a profile."""
    assert novelty(np.array([[0, 1, 2, 3, 4]]), np.array([8, 4, 2, 1, 0], np.float32), 8) == (0 + 1 + 2 + 3 + 4) / 5


def test_the_long_tail_begins_after_four_fifths_of_the_views() -> None:
    views = np.array([10, 60, 20, 6, 4], np.float32)  # 60 and 20 make the head
    assert long_tail_share(np.array([[1, 2, 0, 3]]), views) == 0.5


def test_the_best_come_first_and_ties_by_number() -> None:
    scores = np.array([[1, 3, 3, 2]], np.float32)
    assert top_k(scores, np.zeros((1, 4), np.float32), 3).tolist() == [[1, 2, 3]]


def test_watched_titles_are_never_listed_even_where_nothing_else_is_left() -> None:
    scores = np.array([[9, 1, 5]], np.float32)
    assert top_k(scores, np.array([[1, 0, 1]], np.float32), 3).tolist() == [[1, -1, -1]]
