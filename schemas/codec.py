"""Records to Avro datums and back, one at a time; ``schemas.batch`` decodes many into columns.

Decoding is strict. A datum is valid if it is *the* encoding of a record (no byte too many, no longer form
of a number, whole UTF-8) and the record breaks no rule. Both ways of decoding agree on that and on values.
"""

from collections.abc import Iterable
from functools import cache
from io import BytesIO
from typing import Any, cast

import fastavro
import msgspec

from schemas import avro
from schemas.errors import InvalidEvent
from schemas.events import RECORD_TYPES, Asset, Record, record_name
from schemas.rules import check, check_size

_INT = range(-(2**31), 2**31)


@cache
def physical(record: str) -> avro.Schema:
    """Our own newest schema of a record, parsed."""
    return avro.parsed(avro.schema(record))


def encode(record: Record) -> bytes:
    """The datum with the newest schema. It does not check the rules: the event's producer has checked them."""
    return _written(physical(record_name(record)), as_fields(record))


def as_fields(record: Record) -> dict[str, Any]:
    """The record's fields as Avro has them: records in them are dictionaries, too."""
    fields: dict[str, Any] = msgspec.to_builtins(record) if nests(type(record)) else msgspec.structs.asdict(record)
    return fields


def nests(kind: type[Record]) -> bool:
    """Whether its fields hold records. It takes longer to make them, so all other records are spared."""
    return kind is Asset


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
        self._reader = physical(record)
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
        fields = values if self._writer is self._reader else self._read(datum, self._reader)
        record = msgspec.convert(fields, self._type) if nests(self._type) else self._type(**fields)
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
