"""Zero-copy numpy views of a batch's columns, on which the rules work.

Conversions go through polars: pyarrow would import pandas for them, which takes a second.
"""

from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_NUMPY = {pa.int32(): np.int32, pa.int64(): np.int64, pa.float64(): np.float64}
_NO_NULLS = cast(Mask, np.False_)


class Rows:
    """``batch`` holds a record's columns and is not a slice. Where a field is null, its number or size is arbitrary."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self.count: int = batch.num_rows

    def null(self, field: str) -> Mask:
        """Where the field is null; a single False if it never is."""
        column = self._batch.column(field)
        return _mask(column.is_null()) if column.null_count else _NO_NULLS

    def numbers(self, field: str) -> NDArray[Any]:
        column = self._batch.column(field)
        return np.frombuffer(column.buffers()[1], _NUMPY[column.type])[: self.count]

    def sizes(self, field: str) -> NDArray[np.int32]:
        """Bytes of each text."""
        return lengths(self._batch.column(field))

    def matches(self, field: str, pattern: str) -> Mask:
        """Where the full text matches."""
        column = self._batch.column(field)
        found = pc.match_substring_regex(column, f"^(?:{pattern})$")
        return _mask(pc.and_kleene(found, column.is_valid()))

    def equal(self, field: str, value: object) -> Mask:
        found = pl.Series(self._batch.column(field)) == value
        return (found.fill_null(False) if found.null_count() else found).to_numpy()

    def characters(self, field: str, size: int) -> NDArray[np.uint8] | None:
        """The texts' bytes, one row each, if all have exactly ``size`` bytes."""
        if (self.sizes(field) != size).any():
            return None
        content = np.frombuffer(self._batch.column(field).buffers()[2], np.uint8)
        return content[: self.count * size].reshape(self.count, size)

    def entries(self, field: str) -> pa.MapArray:
        return self._batch.column(field)


def lengths(column: pa.Array) -> NDArray[np.int32]:
    """Bytes of each text, or entries of each map."""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[: len(column) + 1]
    return offsets[1:] - offsets[:-1]


def _mask(booleans: pa.BooleanArray) -> Mask:
    return pl.Series(booleans).to_numpy()
