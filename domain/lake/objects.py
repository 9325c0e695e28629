"""From a slice of records to a lake file: its bytes and its metadata."""

import io
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from domain.lake import container
from domain.lake.batching import Slice
from domain.lake.keys import Chain
from domain.lake.ports import Record, Resolve
from schemas.avro import physical
from schemas.framing import unframe

GAPS_KEY = "playhead.missing"
"""In the file's Avro metadata: a JSON list of [first, end] pairs, the offsets of the object that have no row."""


@dataclass(frozen=True, slots=True)
class LakeFile:
    """An object before it is put."""

    key: str
    start: int
    end: int
    records: int
    body: bytes
    metadata: Mapping[str, str]
    """No value is empty: stores drop those."""
    appended: Mapping[int, int] = field(default_factory=dict)
    """Millisecond to the number of records, dead letters included, that Kafka appended then. Empty for a gap."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A partition's records in order, validated: the schema id of each, and which are invalid."""

    records: Sequence[Record]
    schema_ids: Sequence[int | None]
    invalid: Collection[int]


def build_file(
    chain: Chain, start: int, batch: Batch, part: Slice, schemas: tuple[Resolve, Mapping[str, Any]]
) -> LakeFile:
    """The file for one slice. ``start`` is the chain's end, which may be below the first record's offset.

    ``schemas``: the registry's, and the contract's for a file without rows.
    """
    resolve, own = schemas
    valid = [i for i in range(part.start, part.stop) if i not in batch.invalid]
    records, end = batch.records, batch.records[part.stop - 1].offset() + 1
    datums = _datums([records[i] for i in valid], part.schema_id, resolve)
    timestamps = [record.timestamp()[1] for record in records[part.start : part.stop]]
    schema_id = {} if part.schema_id is None else {"schema-id": str(part.schema_id)}
    absent = end - start - len(timestamps)
    file = _file(
        chain,
        (start, end),
        (own if part.schema_id is None else resolve(part.schema_id), datums),
        _gaps(start, end, [records[i].offset() for i in valid]),
        {
            "records": str(len(datums)),
            "dead_letters": str(part.stop - part.start - len(datums)),
            "first-timestamp": str(timestamps[0]),
            "last-timestamp": str(timestamps[-1]),
            "kind": "data",
            **schema_id,
            **({"absent": str(absent)} if absent else {}),
        },
    )
    return replace(file, appended=Counter(timestamps))


def pack(chain: Chain, start: int, schema: Mapping[str, Any], datums: Sequence[bytes], schema_id: int = 1) -> LakeFile:
    """A file of valid records only, with consecutive offsets."""
    metadata = {"records": str(len(datums)), "dead_letters": "0", "kind": "data", "schema-id": str(schema_id)}
    return _file(chain, (start, start + len(datums)), (schema, datums), [], metadata)


def build_gap(chain: Chain, start: int, end: int, own: Mapping[str, Any]) -> LakeFile:
    """A file that records a loss: these offsets had left Kafka before the lake read them."""
    metadata = {"records": "0", "dead_letters": "0", "kind": "gap", "reason": f"the log begins at {end}"}
    return _file(chain, (start, end), (own, []), [(start, end)], metadata)


def _datums(records: Sequence[Record], newest: int | None, resolve: Resolve) -> list[bytes]:
    if newest is None:
        return []
    upgrade = _upgrade_to(newest, resolve)
    framed = (unframe(record.value() or b"") for record in records)
    return [datum if schema_id == newest else upgrade(schema_id, datum) for schema_id, datum in framed]


def _upgrade_to(newest: int, resolve: Resolve) -> Callable[[int, bytes], bytes]:
    """A function from (schema id, datum) to the datum under ``newest``, by Avro's schema resolution.

    It decodes and encodes: only for the few records of a rolling deploy.
    """

    @cache
    def parsed(schema_id: int) -> dict[str, Any]:
        return cast(dict[str, Any], parse_schema(physical(resolve(schema_id))))

    def upgrade(schema_id: int, datum: bytes) -> bytes:
        value = schemaless_reader(io.BytesIO(datum), parsed(schema_id), parsed(newest))
        out = io.BytesIO()
        schemaless_writer(out, parsed(newest), cast(Any, value))
        return out.getvalue()

    return upgrade


def _file(
    chain: Chain,
    offsets: tuple[int, int],
    rows: tuple[Mapping[str, Any], Sequence[bytes]],
    gaps: list[tuple[int, int]],
    metadata: dict[str, str],
) -> LakeFile:
    start, end = offsets
    schema, datums = rows
    key = chain.key(start)
    body = container.write(key, schema, datums, {GAPS_KEY: json.dumps(gaps)})
    metadata |= {"end": str(end), "sha256": sha256(body).hexdigest()}
    return LakeFile(key, start, end, len(datums), body, metadata)


def _gaps(start: int, end: int, present: Sequence[int]) -> list[tuple[int, int]]:
    if len(present) == end - start:
        return []
    gaps, position = [], start
    for offset in (*present, end):
        if offset > position:
            gaps.append((position, offset))
        position = offset + 1
    return gaps
