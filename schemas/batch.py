"""Many framed Avro payloads at once into columns, as strictly as ``codec.Decoder`` reads them one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from schemas import avro
from schemas.codec import Decoder, as_fields, physical
from schemas.column_rules import all_hold
from schemas.columnar import Undecodable, arrow_schema, columns_between
from schemas.columns import Rows
from schemas.errors import InvalidEvent, SchemaPending
from schemas.framing import HEADER_BYTES, schema_id

_ONE_BY_ONE = 16
"""Up to this many payloads are decoded one by one."""


@dataclass(frozen=True, slots=True)
class Invalid:
    index: int
    error: InvalidEvent


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    frame: pl.DataFrame
    """Valid rows in the order of the payloads: the record's fields as physical types, and ``_index``,
    the row's position in the payloads."""
    invalid: list[Invalid]
    schema_ids: list[int | None]
    """Per payload; None if it is not framed."""


@dataclass(slots=True)
class _Batch:
    frames: list[pl.DataFrame] = field(default_factory=list)
    invalid: list[Invalid] = field(default_factory=list)


class _Plan:
    """How datums of one writer's schema become rows of one record."""

    def __init__(self, record: str, writer: avro.Schema) -> None:
        self._record = record
        self._one = Decoder(record, writer)
        self._columns = columns_between(avro.physical(writer), avro.physical(avro.schema(record)))

    def decode(self, datums: Sequence[bytes], indices: Sequence[int], into: _Batch) -> None:
        if self._columns is None or len(datums) <= _ONE_BY_ONE:
            return self._one_by_one(datums, indices, into)
        try:
            columns, exact = self._columns.decode(datums)
        except Undecodable:
            suspects = self._columns.unreadable(datums, range(len(datums)), _ONE_BY_ONE)
            self._one_by_one(*_picked(datums, indices, suspects), into)
            others = sorted(set(range(len(datums))).difference(suspects))
            return self.decode(*_picked(datums, indices, others), into)
        good = exact & all_hold(self._record, Rows(columns))
        frame = pl.DataFrame(columns).with_columns(pl.Series("_index", indices, dtype=pl.UInt32))
        if good.all():
            into.frames.append(frame)
            return None
        into.frames.append(frame.filter(good))
        return self._one_by_one(*_picked(datums, indices, np.flatnonzero(~good).tolist()), into)

    def _one_by_one(self, datums: Sequence[bytes], indices: Sequence[int], into: _Batch) -> None:
        rows: list[dict[str, Any]] = []
        for datum, index in zip(datums, indices, strict=True):
            try:
                rows.append({**as_fields(self._one.decode(datum)), "_index": index})
            except InvalidEvent as error:
                into.invalid.append(Invalid(index, error))
        if rows:
            into.frames.append(pl.DataFrame(rows, schema=_empty(self._record).schema))


def _picked(datums: Sequence[bytes], indices: Sequence[int], rows: list[int]) -> tuple[list[bytes], list[int]]:
    return [datums[row] for row in rows], [indices[row] for row in rows]


class BatchDecoder:
    """Decodes payloads by whichever schemas they were written with.

    ``resolve(schema_id)`` gives the writer's schema or raises InvalidEvent("unknown_schema") or TransientError. A batch
    with several pending schemas asks for all of them before it raises, so that their waits begin together.
    """

    def __init__(self, resolve: Callable[[int], avro.Schema]) -> None:
        self._resolve = resolve
        self._plans: dict[tuple[str, int], _Plan] = {}

    def decode(self, record_name: str, payloads: Sequence[bytes | None]) -> DecodedBatch:
        schema_ids: list[int | None] = [None] * len(payloads)
        batch, plans = _Batch(), []
        pending: SchemaPending | None = None
        for header, (datums, indices) in _by_header(payloads).items():
            try:
                if header is None:
                    raise InvalidEvent("null_payload", "The record has no payload; it must hold an event.")
                found = schema_id(header)
                for index in indices:
                    schema_ids[index] = found
                plans.append((self._plan(record_name, found), datums, indices))
            except InvalidEvent as error:
                batch.invalid += [Invalid(index, error) for index in indices]
            except SchemaPending as error:
                pending = error
        if pending:
            raise pending
        for plan, datums, indices in plans:
            plan.decode(datums, indices, batch)
        invalid = sorted(batch.invalid, key=lambda one: one.index)
        return DecodedBatch(_joined(record_name, batch.frames), invalid, schema_ids)

    def _plan(self, record: str, schema_id: int) -> _Plan:
        plan = self._plans.get((record, schema_id))
        if plan is None:
            plan = self._plans[record, schema_id] = _Plan(record, self._resolve(schema_id))
        return plan


def _by_header(payloads: Sequence[bytes | None]) -> dict[bytes | None, tuple[Sequence[bytes], Sequence[int]]]:
    """Datums and their positions per header; None for null payloads, which have no datum."""
    first = payloads[0][:HEADER_BYTES] if payloads and payloads[0] else b""
    datums = [payload[HEADER_BYTES:] for payload in payloads if payload and payload.startswith(first)]
    if first and len(datums) == len(payloads):
        return {first: (datums, range(len(datums)))}
    groups: dict[bytes | None, tuple[list[bytes], list[int]]] = {}
    for index, payload in enumerate(payloads):
        group = groups.setdefault(None if payload is None else payload[:HEADER_BYTES], ([], []))
        group[0].append(b"" if payload is None else payload[HEADER_BYTES:])
        group[1].append(index)
    return dict(groups)


def _joined(record: str, frames: list[pl.DataFrame]) -> pl.DataFrame:
    return frames[0] if len(frames) == 1 else pl.concat([_empty(record), *frames]).sort("_index")


@cache
def _empty(record: str) -> pl.DataFrame:
    """A frame of no rows with a record's columns."""
    columns = pl.DataFrame(schema=pl.Schema(arrow_schema(physical(record))))
    return columns.with_columns(pl.Series("_index", [], dtype=pl.UInt32))
