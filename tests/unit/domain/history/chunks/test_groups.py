"""Differences within groups."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.history.chunks.columns import Groups

VALUES = np.array([10, 7, 13, 13, 7], np.int64)
GROUPS = Groups(np.array([0, 1, 0, 0, 1], np.int64))


def test_a_difference_is_to_the_last_of_the_same_group() -> None:
    assert GROUPS.differences(VALUES).tolist() == [10, 7, 3, 0, 0]


def test_the_previous_of_a_groups_first_is_0() -> None:
    assert GROUPS.previous(VALUES).tolist() == [0, 0, 10, 13, 7]


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 5)), min_size=1))
def test_sums_undo_differences(pairs: list[tuple[int, int]]) -> None:
    values, numbers = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    groups = Groups(numbers)
    assert groups.sums(groups.differences(values)).tolist() == values.tolist()
