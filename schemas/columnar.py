"""Decodes many Avro datums of one schema into columns: pyruhvro decodes, Arrow validates and projects.

It is over ten times faster than decoding one by one, but it only reports whether all datums are readable, and it is
lenient: it wraps large ints and ignores trailing bytes. So each batch is encoded again and compared. Equal bytes mean
that each datum is the exact encoding of its row. Everything else goes to the one-by-one decoder.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyruhvro

from schemas.avro import Schema
from schemas.columns import Mask

_ARROW: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "enum": pa.string(),
    "map": pa.map_(pa.string(), pa.string()),
    "bytes": pa.binary(),
}
_PANICS = {"bytes"}  # pyruhvro knows no bytes, and panics instead of raising
_PROMOTIONS = {("int", "long"), ("int", "double"), ("long", "double"), ("float", "double")}

_Column = Callable[[pa.RecordBatch], pa.Array]


class Undecodable(Exception):
    """At least one of the datums is unreadable; it is unknown which."""


@dataclass(frozen=True, slots=True)
class _Type:
    """A field's physical type: kind, whether null is allowed, an enum's name, symbols and default."""

    kind: str
    nullable: bool = False
    name: str = ""
    symbols: tuple[str, ...] = ()
    default: str | None = None


def _type(avro: Any) -> _Type | None:
    """None for a type that columns do not decode, such as an array of records."""
    match avro:
        case {"type": "enum", "symbols": symbols}:
            return _Type("enum", False, avro["name"], tuple(symbols), avro.get("default"))
        case {"type": "map", "values": "string"}:
            return _Type("map")
        case {"type": str() as kind} | (str() as kind) if kind in _ARROW and kind not in ("enum", "map"):
            return _Type(kind)
        case ["null", branch] | [branch, "null"]:
            inner = _type(branch)
            return inner and replace(inner, nullable=True)
    return None


def arrow_schema(reader: Schema) -> pa.Schema:
    """The columns of one of our own (physical) schemas."""
    return pa.schema(_arrow_fields(reader))


def _arrow_fields(record: Schema) -> list[pa.Field]:
    return [pa.field(field["name"], _arrow_type(field["type"])) for field in record["fields"]]


def _arrow_type(avro: Any) -> pa.DataType:
    match avro:
        case ["null", branch] | [branch, "null"]:
            return _arrow_type(branch)
        case {"type": "array", "items": items}:
            return pa.list_(_arrow_type(items))
        case {"type": "record"}:
            return pa.struct(_arrow_fields(avro))
        case {"type": kind}:
            return _ARROW[kind]
    return _ARROW[avro]


class Columns:
    """Decodes datums written with one physical schema into the columns of another."""

    def __init__(self, writer: Schema, reader: Schema, columns: list[_Column] | None) -> None:
        self._writer = json.dumps(writer)
        self._schema = arrow_schema(reader)
        self._columns = columns

    def decode(self, datums: Sequence[bytes]) -> tuple[pa.RecordBatch, Mask]:
        """The rows, and for each whether its datum is exactly that row's encoding.

        Raises Undecodable if any datum is unreadable.
        """
        batch = self._read(datums)
        again = pyruhvro.serialize_record_batch(batch, self._writer, 1)[0]
        # Not pyarrow's array(): it takes twice as long.
        exact = (pl.Series(again) == pl.Series(datums, dtype=pl.Binary)).to_numpy()
        if self._columns is not None:
            batch = pa.record_batch([column(batch) for column in self._columns], schema=self._schema)
        return batch, exact

    def unreadable(self, datums: Sequence[bytes], rows: range, few: int) -> list[int]:
        """Rows that include every unreadable one, found by bisection down to groups of ``few``."""
        try:
            self._read(datums[rows.start : rows.stop])
        except Undecodable:
            if len(rows) <= few:
                return list(rows)
            half = len(rows) // 2
            return self.unreadable(datums, rows[:half], few) + self.unreadable(datums, rows[half:], few)
        return []

    def _read(self, datums: Sequence[bytes]) -> pa.RecordBatch:
        try:
            batch = pyruhvro.deserialize_array(datums, self._writer)
            batch.validate(full=True)  # pyruhvro does not check that text is UTF-8
        except ValueError as error:
            raise Undecodable from error
        return batch


def columns_between(writer: Schema, reader: Schema) -> Columns | None:
    """None if only the one-by-one decoder can resolve the pair."""
    written = {field["name"]: _type(field["type"]) for field in writer["fields"]}
    if any(column is None or column.kind in _PANICS for column in written.values()):
        return None
    if list(written.items()) == [(field["name"], _type(field["type"])) for field in reader["fields"]]:
        return Columns(writer, reader, None)
    columns = [_projected(field, written) for field in reader["fields"]]
    whole = [column for column in columns if column is not None]
    return Columns(writer, reader, whole) if len(whole) == len(columns) else None


def _projected(field: dict[str, Any], written_types: dict[str, _Type | None]) -> _Column | None:
    """How to derive the reader's field from a writer's batch; None if columns cannot."""
    read = _type(field["type"])
    source = next((name for name in (field["name"], *field.get("aliases", ())) if name in written_types), None)
    if read is None:
        return None
    if source is None:
        return partial(_repeated, pa.scalar(field["default"], _ARROW[read.kind])) if "default" in field else None
    written = written_types[source]
    if written is None or (written.nullable and not read.nullable):
        return None
    if "enum" in (written.kind, read.kind):
        return _enum(source, written, read)
    if written.kind == read.kind:
        return _taken(source)
    return partial(_promoted, source, _ARROW[read.kind]) if (written.kind, read.kind) in _PROMOTIONS else None


def _enum(source: str, written: _Type, read: _Type) -> _Column | None:
    unknown = sorted(set(written.symbols) - set(read.symbols))
    if (written.kind, written.name) != (read.kind, read.name) or (unknown and read.default is None):
        return None
    return partial(_known, source, pa.array(unknown, pa.string()), read.default) if unknown else _taken(source)


def _taken(source: str) -> _Column:
    return lambda batch: batch.column(source)


def _repeated(value: pa.Scalar, batch: pa.RecordBatch) -> pa.Array:
    return pa.repeat(value, batch.num_rows)


def _known(source: str, unknown: pa.Array, default: str | None, batch: pa.RecordBatch) -> pa.Array:
    column = batch.column(source)
    return pc.if_else(pc.is_in(column, value_set=unknown), pa.scalar(default, pa.string()), column)


def _promoted(source: str, arrow: pa.DataType, batch: pa.RecordBatch) -> pa.Array:
    return batch.column(source).cast(arrow, safe=False)
