"""Records to Avro datums and back: one at a time, and many at a time into columns.

Decoding is strict. A datum is valid if it is *the* encoding of a record (no byte too many, no longer form
of a number, whole UTF-8) and the record breaks no rule. Both ways of decoding agree on that and on values.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from typing import Any, cast

import fastavro
import msgspec
import numpy as np
import polars as pl

from schemas import avro
from schemas.columnar import Undecodable, arrow_schema, columns_between
from schemas.columns import Rows
from schemas.errors import InvalidEvent
from schemas.events import RECORD_TYPES, Record, record_name
from schemas.framing import HEADER_BYTES, schema_id
from schemas.rules import all_hold, check, check_size

_ONE_BY_ONE = 16  # so few are decoded one by one at once
_INT = range(-(2**31), 2**31)


@cache
def _physical(record: str) -> avro.Schema:
    """Our own newest schema of a record, parsed."""
    return avro.parsed(avro.schema(record))


def encode(record: Record) -> bytes:
    """The datum with the newest schema. It does not ask the rules: whoever makes events has checked them."""
    return _written(_physical(record_name(record)), msgspec.structs.asdict(record))


def _written(schema: avro.Schema, values: dict[str, Any]) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, values)
    return out.getvalue()


class Decoder:
    """Decodes datums of one record, written with one schema, one by one."""

    def __init__(self, record: str, writer: avro.Schema | None = None) -> None:
        """``writer`` None means the newest. InvalidEvent "wrong_record" if it is the schema of another record."""
        self._record = record
        self._type: type[Record] = RECORD_TYPES[record]
        self._reader = _physical(record)
        self._writer = self._reader if writer is None else _parsed(writer, self._reader)
        self._ints = tuple(f["name"] for f in self._writer["fields"] if "int" in (f["type"], *_branches(f["type"])))

    def decode(self, datum: bytes) -> Record:
        check_size(self._record, datum)
        values = self._read(datum, None)
        if any(values[name] is not None and values[name] not in _INT for name in self._ints):
            name = next(n for n in self._ints if values[n] is not None and values[n] not in _INT)
            raise InvalidEvent("out_of_range", f"{name} is {values[name]}; it must fit in 32 bits.", name)
        if _written(self._writer, values) != datum:
            raise InvalidEvent("malformed", "The datum is not the Avro encoding of a record: some bytes are wrong.")
        record = self._type(**(values if self._writer is self._reader else self._read(datum, self._reader)))
        check(record)
        return record

    def _read(self, datum: bytes, reader: avro.Schema | None) -> dict[str, Any]:
        source = BytesIO(datum)
        try:
            values = cast(dict[str, Any], fastavro.schemaless_reader(source, self._writer, reader))
        except fastavro.read.SchemaResolutionError as error:
            reason = f"The writer's schema does not resolve to this {self._record}: {error}"
            raise InvalidEvent("incompatible_schema", reason) from error
        except Exception as error:  # of many unrelated classes: what it is depends on the byte that is wrong
            reason = f"The datum is not readable with its schema: {type(error).__name__}: {error}"
            raise InvalidEvent("malformed", reason) from error
        if surplus := len(datum) - source.tell():
            raise InvalidEvent("malformed", f"The datum has {surplus} bytes too many.")
        return values


def _parsed(writer: avro.Schema, reader: avro.Schema) -> avro.Schema:
    if not isinstance(writer, dict) or writer.get("type") != "record":
        raise InvalidEvent("wrong_record", f"The payload's schema is not a record; it must be {reader['name']}.")
    if avro.full_name(writer) != reader["name"]:
        reason = f"The payload is a {avro.full_name(writer)}; records on this topic are {reader['name']}."
        raise InvalidEvent("wrong_record", reason)
    parsed = avro.parsed(writer)
    return reader if parsed == reader else parsed


def _branches(avro_type: Any) -> Iterable[Any]:
    return avro_type if isinstance(avro_type, list) else ()


@cache
def _newest(record: str) -> Decoder:
    return Decoder(record)


def decode(record_name: str, datum: bytes, writer: avro.Schema | None = None) -> Record:
    """One datum, strictly; ``writer`` is its schema if not the newest (for many of one, keep a ``Decoder``)."""
    return (_newest(record_name) if writer is None else Decoder(record_name, writer)).decode(datum)


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
                rows.append({**msgspec.structs.asdict(self._one.decode(datum)), "_index": index})
            except InvalidEvent as error:
                into.invalid.append(Invalid(index, error))
        if rows:
            into.frames.append(pl.DataFrame(rows, schema=_empty(self._record).schema))


def _picked(datums: Sequence[bytes], indices: Sequence[int], rows: list[int]) -> tuple[list[bytes], list[int]]:
    return [datums[row] for row in rows], [indices[row] for row in rows]


class BatchDecoder:
    """Decodes payloads by whichever schemas they were written with.

    ``resolve(schema_id)`` gives the writer's schema or raises InvalidEvent("unknown_schema") or TransientError.
    """

    def __init__(self, resolve: Callable[[int], avro.Schema]) -> None:
        self._resolve = resolve
        self._plans: dict[tuple[str, int], _Plan] = {}

    def decode(self, record_name: str, payloads: Sequence[bytes | None]) -> DecodedBatch:
        schema_ids: list[int | None] = [None] * len(payloads)
        batch = _Batch()
        for header, (datums, indices) in _by_header(payloads).items():
            try:
                if header is None:
                    raise InvalidEvent("null_payload", "The record has no payload; it must hold an event.")
                found = schema_id(header)
                for index in indices:
                    schema_ids[index] = found
                plan = self._plan(record_name, found)
            except InvalidEvent as error:
                batch.invalid += [Invalid(index, error) for index in indices]
            else:
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
    columns = pl.DataFrame(schema=pl.Schema(arrow_schema(_physical(record))))
    return columns.with_columns(pl.Series("_index", [], dtype=pl.UInt32))
