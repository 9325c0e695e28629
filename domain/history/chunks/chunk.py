"""Encodes many viewing records of one profile as bytes, and decodes them.

docs/reference/chunk-format.md describes the format byte by byte.
"""

import zlib
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from domain.history.chunks.columns import COLUMNS, Column, DecodedColumns, Kind
from domain.history.chunks.layout import (
    FORMAT_VERSION,
    CorruptChunk,
    Header,
    Reader,
    UnknownSchema,
    block,
    owner_of,
    pack,
    unpack,
)
from domain.history.chunks.numbers import from_bytes, to_bytes
from domain.history.chunks.texts import (
    decode_first_use,
    dictionary_encode,
    encode_first_use,
    first_occurrences,
    table_from_bytes,
    table_to_bytes,
)
from schemas import avro
from schemas.events import ViewingRecord


def encode(records: Sequence[ViewingRecord]) -> bytes:
    """One or more sessions of one profile, each once. The bytes do not depend on the order of ``records``."""
    ordered = in_order(records)
    profiles = {record.profile_id for record in ordered}
    if len(profiles) != 1 or len({record.playback_session_id for record in ordered}) != len(ordered):
        raise ValueError("a chunk holds sessions of one profile, each of them once")
    header = Header(
        format_version=FORMAT_VERSION,
        schema=_schema(),
        owner=owner_of(profiles.pop()),
        count=len(ordered),
        first_started_at=ordered[0].session_started_at,
        last_started_at=ordered[-1].session_started_at,
    )
    columns = DecodedColumns(header.count, header.first_started_at)
    fields = map(attrgetter(*(column.field for column in COLUMNS)), ordered)
    values_of = zip(COLUMNS, zip(*fields, strict=True), strict=True)
    bodies = {
        column.id: _encoded(column, values, columns)
        for column, values in values_of
        if not column.sparse or any(value is not None for value in values)
    }
    return pack(header, bodies)


def in_order(records: Sequence[ViewingRecord]) -> list[ViewingRecord]:
    """By ``listed_at`` and id of the session, the order in chunks."""
    return sorted(records, key=lambda record: (record.listed_at, record.playback_session_id))


def read_header(chunk: bytes) -> Header:
    """Raises CorruptChunk for damage anywhere in the chunk, UnknownSchema for a newer format."""
    return unpack(chunk)[0]


def decode(chunk: bytes, profile_id: str) -> list[ViewingRecord]:
    """For readers: unknown columns are skipped. Raises CorruptChunk, UnknownSchema."""
    header, bodies = unpack(chunk)
    if header.owner != owner_of(profile_id):
        raise CorruptChunk(f"not a chunk of {profile_id}")
    try:
        return _records(header, bodies, profile_id)
    except (ArithmeticError, LookupError, RuntimeError, ValueError, zlib.error) as error:
        raise CorruptChunk(f"the checksum is right, but the bytes are no records: {error}") from error


def decode_for_rewriting(chunk: bytes, profile_id: str) -> list[ViewingRecord]:
    """For compaction: raises UnknownSchema where writing the records again would lose a column."""
    unknown = unpack(chunk)[1].keys() - {column.id for column in COLUMNS}
    if unknown:
        raise UnknownSchema(f"columns {sorted(unknown)} are of newer software")
    return decode(chunk, profile_id)


def _records(header: Header, bodies: dict[int, bytes], profile_id: str) -> list[ViewingRecord]:
    columns = DecodedColumns(header.count, header.first_started_at)
    values: dict[str, list[Any]] = {"profile_id": [profile_id] * header.count}
    for column in COLUMNS:
        if column.id in bodies:
            values[column.field] = _decoded(column, bodies[column.id], columns)
        else:
            values[column.field] = [_default(column.field)] * header.count
    # By position: a third of the time of names.
    return list(map(ViewingRecord, *(values[name] for name in ViewingRecord.__struct_fields__)))


@cache
def _schema() -> str:
    return avro.fingerprint(avro.schema("viewing_record"))


def _default(field: str) -> Any:
    for described in avro.schema("viewing_record")["fields"]:
        if described["name"] == field and "default" in described:
            return described["default"]
    raise CorruptChunk(f"{field} is missing")


def _encoded(column: Column, values: Sequence[Any], columns: DecodedColumns) -> bytes:
    """Adds the column to ``columns``."""
    if column.kind is Kind.TEXT:
        numbers, table = dictionary_encode(values)
        columns[column.field] = numbers
        codes = encode_first_use(numbers) if column.by is None else columns.groups(column.by).differences(numbers)
        return block(to_bytes(codes)) + table_to_bytes(table, columns["session_started_at"][first_occurrences(numbers)])
    nulls = b""
    if column.kind is Kind.OPTIONAL:
        nulls = block(to_bytes(np.array([value is None for value in values], np.int64)))
        values = [value or 0 for value in values]
    columns[column.field] = np.array(values, np.int64)
    rest = columns[column.field] - column.predicted(columns)
    return nulls + to_bytes(rest if column.by is None else columns.groups(column.by).differences(rest))


def _decoded(column: Column, data: bytes, columns: DecodedColumns) -> list[Any]:
    """Adds the column to ``columns``."""
    reader, count = Reader(data), columns.count
    if column.kind is Kind.TEXT:
        codes = from_bytes(reader.block(), count)
        numbers = columns[column.field] = (
            decode_first_use(codes) if column.by is None else columns.groups(column.by).sums(codes)
        )
        table = table_from_bytes(reader, columns["session_started_at"][first_occurrences(numbers)])
        if len(table) == count:  # ids: none repeats, and numbers follow the order of appearance
            return table
        return cast("list[Any]", np.array(table, object)[numbers].tolist())
    nulls = from_bytes(reader.block(), count) if column.kind is Kind.OPTIONAL else None
    rest = from_bytes(reader.rest(), count)
    if column.by is not None:
        rest = columns.groups(column.by).sums(rest)
    columns[column.field] = rest + column.predicted(columns)
    values: NDArray[Any] = columns[column.field]
    if column.kind is Kind.FLAG:
        values = values.astype(np.bool_)
    if nulls is not None and nulls.any():
        values = values.astype(object)
        values[nulls.astype(np.bool_)] = None
    return cast("list[Any]", values.tolist())
