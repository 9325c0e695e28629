"""How much goes into one object: when a buffer is full, and where a change of schema ends an object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

LONG_RUN = 1000
"""Records of one schema in a row that are worth an object of their own."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A partition's buffer is written when it reaches any of these; they are thresholds, not maxima."""

    records: int
    bytes: int
    age_ms: int

    def reached(self, records: int, size: int, age_ms: int) -> bool:
        return records > 0 and (records >= self.records or size >= self.bytes or age_ms >= self.age_ms)


@dataclass(frozen=True, slots=True)
class Span:
    """Records ``start`` to ``stop`` (excluded) of a buffer make one object, all under one schema id."""

    start: int
    stop: int
    schema_id: int | None
    """The newest among its records; None when none of them is valid."""


def spans(schema_ids: Sequence[int | None]) -> list[Span]:
    """Cut a buffer into objects; ``None`` stands for an invalid record, which goes where its neighbours go.

    A registry's ids rise, so the highest is the newest. Between two long runs of different schemas a new object
    begins. During a rolling deploy ids alternate instead, and one object takes them all under the newest:
    cutting at each change would leave objects of single records.
    """
    found: list[Span] = []
    for run in _runs(schema_ids):
        last = found[-1] if found else None
        if last and not (_long(last) and _long(run) and last.schema_id != run.schema_id):
            found[-1] = Span(last.start, run.stop, _newest(last.schema_id, run.schema_id))
        else:
            found.append(run)
    return found


def _runs(schema_ids: Sequence[int | None]) -> Iterator[Span]:
    start = 0
    for schema_id, run in groupby(schema_ids):
        stop = start + sum(1 for _ in run)
        yield Span(start, stop, schema_id)
        start = stop


def _long(span: Span) -> bool:
    return span.stop - span.start >= LONG_RUN


def _newest(one: int | None, other: int | None) -> int | None:
    return max((i for i in (one, other) if i is not None), default=None)
