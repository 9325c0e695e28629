"""Differences between records of one group (a title, a device), and back."""

import numpy as np

from domain.history.chunks.numbers import Ints


class Groups:
    """Which records are of one group: those with equal numbers. Sorted once, for all columns that differ within."""

    def __init__(self, numbers: Ints) -> None:
        self._order = numbers.argsort(kind="stable")
        ordered = numbers[self._order]
        starting = np.ones(len(numbers), np.bool_)
        np.not_equal(ordered[1:], ordered[:-1], out=starting[1:])
        self._starts = starting.nonzero()[0]
        self._group = starting.cumsum() - 1

    def differences(self, values: Ints) -> Ints:
        """Each value less the one before it in its group; a group's first stays."""
        return values - self.previous(values)

    def sums(self, values: Ints) -> Ints:
        """Undoes ``differences``."""
        ordered = values[self._order]
        totals = ordered.cumsum()
        before = totals[self._starts] - ordered[self._starts]
        return self._back(totals - before[self._group])

    def previous(self, values: Ints) -> Ints:
        """The value before each in its group, 0 for a group's first."""
        ordered = values[self._order]
        shifted = np.empty_like(ordered)
        shifted[1:] = ordered[:-1]
        shifted[self._starts] = 0
        return self._back(shifted)

    def _back(self, ordered: Ints) -> Ints:
        values = np.empty_like(ordered)
        values[self._order] = ordered
        return values
