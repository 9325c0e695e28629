"""Series of integers, by whichever way is shorter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.history.chunks.numbers import PCO, from_bytes, to_bytes

any_integer = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(any_integer, min_size=1, max_size=300) | st.lists(st.integers(-3, 3), min_size=1, max_size=300))
def test_any_series_comes_back(values: list[int]) -> None:
    assert from_bytes(to_bytes(np.array(values, np.int64)), len(values)).tolist() == values


def test_values_that_are_all_alike_take_two_bytes() -> None:
    assert to_bytes(np.zeros(2_000, np.int64)) == b"\x00\x00"


def test_a_few_flags_take_a_bit_each() -> None:
    assert to_bytes(np.array([0, 1, 1, 0, 0, 0, 0, 1, 1], np.int64)) == b"\x01\x00\x86\x01"


def test_many_uneven_values_are_left_to_pcodec() -> None:
    values = np.array([0] * 990 + list(range(10**9, 10**9 + 10)), np.int64)
    encoded = to_bytes(values)
    assert encoded[0] == PCO
    assert len(encoded) < 100
    assert from_bytes(encoded, 1_000).tolist() == values.tolist()


@pytest.mark.parametrize("width", [1, 7, 8, 33, 63, 64])
def test_every_width_comes_back(width: int) -> None:
    values = [0, (1 << width) - 1 - (1 << 63 if width == 64 else 0), 0, 1]
    assert from_bytes(to_bytes(np.array(values, np.int64)), 4).tolist() == values
