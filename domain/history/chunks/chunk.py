"""Many viewing records of one profile as one string of bytes, and back.

docs/reference/chunk-format.md has it byte by byte.
"""

import zlib
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from domain.history.chunks.columns import COLUMNS, Column, Kind
from domain.history.chunks.errors import CorruptChunk, UnknownSchema
from domain.history.chunks.header import FORMAT_VERSION, Header, owner_of, seal, unseal
from domain.history.chunks.known import Known
from domain.history.chunks.numbers import from_bytes, to_bytes
from domain.history.chunks.texts import first_uses, marked, numbered, table_from_bytes, table_to_bytes, unmarked
from domain.history.chunks.wire import Reader, block
from schemas import avro
from schemas.events import ViewingRecord


def encode(records: Sequence[ViewingRecord]) -> bytes:
    """One or more sessions of one profile, each once. The same bytes in whatever order they come."""
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
    known = Known(header.count, header.first_started_at)
    fields = map(attrgetter(*(column.field for column in COLUMNS)), ordered)
    columns = zip(COLUMNS, zip(*fields, strict=True), strict=True)
    return seal(header, {column.id: _encoded(column, values, known) for column, values in columns})


def in_order(records: Sequence[ViewingRecord]) -> list[ViewingRecord]:
    """By start and id of the session, the order in chunks: neither ever changes."""
    return sorted(records, key=lambda record: (record.session_started_at, record.playback_session_id))


def read_header(chunk: bytes) -> Header:
    """CorruptChunk for any damage, wherever in the chunk; UnknownSchema for a newer format."""
    return unseal(chunk)[0]


def decode(chunk: bytes, profile_id: str) -> list[ViewingRecord]:
    """For readers: columns that this software doesn't know are left out. CorruptChunk, UnknownSchema."""
    header, columns = unseal(chunk)
    if header.owner != owner_of(profile_id):
        raise CorruptChunk(f"not a chunk of {profile_id}")
    try:
        return _records(header, columns, profile_id)
    except (ArithmeticError, LookupError, RuntimeError, ValueError, zlib.error) as error:
        raise CorruptChunk(f"sound bytes that make no records: {error}") from error


def decode_for_rewriting(chunk: bytes, profile_id: str) -> list[ViewingRecord]:
    """For compaction: UnknownSchema where writing the records again would lose a column."""
    unknown = unseal(chunk)[1].keys() - {column.id for column in COLUMNS}
    if unknown:
        raise UnknownSchema(f"columns {sorted(unknown)} are of newer software")
    return decode(chunk, profile_id)


def _records(header: Header, columns: dict[int, bytes], profile_id: str) -> list[ViewingRecord]:
    known = Known(header.count, header.first_started_at)
    values: dict[str, list[Any]] = {"profile_id": [profile_id] * header.count}
    for column in COLUMNS:
        if column.id in columns:
            values[column.field] = _decoded(column, columns[column.id], known)
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


def _encoded(column: Column, values: Sequence[Any], known: Known) -> bytes:
    """Adds the column to what is known."""
    if column.kind is Kind.TEXT:
        numbers, table = numbered(values)
        known[column.field] = numbers
        codes = marked(numbers) if column.by is None else known.groups(column.by).differences(numbers)
        return block(to_bytes(codes)) + table_to_bytes(table, known["session_started_at"][first_uses(numbers)])
    nulls = b""
    if column.kind is Kind.OPTIONAL:
        nulls = block(to_bytes(np.array([value is None for value in values], np.int64)))
        values = [value or 0 for value in values]
    known[column.field] = np.array(values, np.int64)
    rest = known[column.field] - column.expected(known)
    return nulls + to_bytes(rest if column.by is None else known.groups(column.by).differences(rest))


def _decoded(column: Column, data: bytes, known: Known) -> list[Any]:
    """Adds the column to what is known."""
    reader, count = Reader(data), known.count
    if column.kind is Kind.TEXT:
        codes = from_bytes(reader.block(), count)
        numbers = known[column.field] = unmarked(codes) if column.by is None else known.groups(column.by).sums(codes)
        table = table_from_bytes(reader, known["session_started_at"][first_uses(numbers)])
        if len(table) == count:  # ids: none repeats, and numbers follow the order of appearance
            return table
        return cast("list[Any]", np.array(table, object)[numbers].tolist())
    nulls = from_bytes(reader.block(), count) if column.kind is Kind.OPTIONAL else None
    rest = from_bytes(reader.rest(), count)
    if column.by is not None:
        rest = known.groups(column.by).sums(rest)
    known[column.field] = rest + column.expected(known)
    values: NDArray[Any] = known[column.field]
    if column.kind is Kind.FLAG:
        values = values.astype(np.bool_)
    if nulls is not None and nulls.any():
        values = values.astype(object)
        values[nulls.astype(np.bool_)] = None
    return cast("list[Any]", values.tolist())
