"""Differences between records of one group (a title, a device), and back."""

import numpy as np
from numpy.typing import NDArray

from streams.history.chunks.numbers import Ints


def differences(values: Ints, groups: Ints) -> Ints:
    """Each value less the one before it in its group; a group's first stays."""
    return values - previous(values, groups)


def sums(values: Ints, groups: Ints) -> Ints:
    """Undoes ``differences``."""
    order, firsts = _by_group(groups)
    totals = np.cumsum(values[order])
    starts = np.flatnonzero(firsts)
    before = np.concatenate([[0], totals[starts[1:] - 1]])
    totals -= np.repeat(before, np.diff(np.append(starts, len(values))))
    return _back(totals, order)


def previous(values: Ints, groups: Ints) -> Ints:
    """The value before each in its group, 0 for a group's first."""
    order, firsts = _by_group(groups)
    shifted = np.roll(values[order], 1)
    shifted[firsts] = 0
    return _back(shifted, order)


def _by_group(groups: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Positions in order of group, and which of them start one."""
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]
    return order, np.append(True, sorted_groups[1:] != sorted_groups[:-1])


def _back(values: Ints, order: Ints) -> Ints:
    out = np.empty_like(values)
    out[order] = values
    return out
