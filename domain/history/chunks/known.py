"""What is known of a chunk's records while its columns are written or read, one after the other."""

import numpy as np

from domain.history.chunks.numbers import Ints
from domain.history.chunks.transforms import Groups

CHUNK = "chunk"
"""The group of all records."""


class Known(dict[str, Ints]):
    """By field: numbers, 0 for null; for a text its number in its column's table."""

    def __init__(self, count: int, first_started_at: int) -> None:
        super().__init__()
        self.count = count
        self[CHUNK] = np.zeros(count, np.int64)
        self["first_started_at"] = np.full(count, first_started_at, np.int64)
        self._groups: dict[str, Groups] = {}

    def groups(self, field: str) -> Groups:
        """Records with the same value of a field."""
        if field not in self._groups:
            self._groups[field] = Groups(self[field])
        return self._groups[field]
