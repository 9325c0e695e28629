"""How many records go into one lake file: when a buffer is full, and where a change of schema starts a new file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

LONG_RUN = 1000
"""This many consecutive records of one schema get their own file."""


@dataclass(frozen=True, slots=True)
class FlushLimits:
    """A partition's buffer is written when it reaches any of these. They are thresholds, not maxima."""

    records: int
    bytes: int
    age_ms: int

    def exceeded(self, records: int, size: int, age_ms: int) -> bool:
        return records > 0 and (records >= self.records or size >= self.bytes or age_ms >= self.age_ms)


@dataclass(frozen=True, slots=True)
class Slice:
    """Records ``start`` to ``stop`` (excluded) of a buffer: they make one file, under one schema id."""

    start: int
    stop: int
    schema_id: int | None
    """The newest among its records. None when none of them is valid."""


def slices(schema_ids: Sequence[int | None]) -> list[Slice]:
    """Cut a buffer into files. ``None`` marks an invalid record, which stays with its neighbours.

    A registry's ids rise, so the highest is the newest. A new file starts between two long runs of different
    schemas. During a rolling deploy ids alternate, and one file takes all of them under the newest: a cut at each
    change would leave files of single records.
    """
    cut: list[Slice] = []
    for run in _runs(schema_ids):
        last = cut[-1] if cut else None
        if last and not (_long(last) and _long(run) and last.schema_id != run.schema_id):
            cut[-1] = Slice(last.start, run.stop, _newest(last.schema_id, run.schema_id))
        else:
            cut.append(run)
    return cut


def _runs(schema_ids: Sequence[int | None]) -> Iterator[Slice]:
    start = 0
    for schema_id, run in groupby(schema_ids):
        stop = start + sum(1 for _ in run)
        yield Slice(start, stop, schema_id)
        start = stop


def _long(run: Slice) -> bool:
    return run.stop - run.start >= LONG_RUN


def _newest(one: int | None, other: int | None) -> int | None:
    return max((i for i in (one, other) if i is not None), default=None)
