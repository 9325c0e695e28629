"""From a span of records to the object that goes into the lake: bytes and what its metadata say."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from domain.lake import container
from domain.lake.batching import Span
from domain.lake.keys import Chain
from domain.lake.ports import Record, Resolve
from domain.lake.upgrade import upgrade_to
from schemas.framing import unframe

MISSING = "playhead.missing"
"""File metadata: JSON list of [first, after last], the offsets between start and end that have no row."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An object ready to be put."""

    key: str
    start: int
    end: int
    records: int
    body: bytes
    metadata: Mapping[str, str]
    """None is empty: stores drop those."""
    appended: Mapping[int, int] = field(default_factory=dict)
    """How many of its records, dead letters too, Kafka appended at which millisecond; empty for a gap."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A partition's records in order, judged: the schema id of each, and which are invalid."""

    records: Sequence[Record]
    schema_ids: Sequence[int | None]
    invalid: Collection[int]


def seal(chain: Chain, start: int, batch: Batch, span: Span, schemas: tuple[Resolve, Mapping[str, Any]]) -> Sealed:
    """The object for one span. ``start`` is the chain's end: it may lie before the first record's own offset.

    ``schemas`` are the registry's and the contract's own, which stands in a file without a row.
    """
    resolve, own = schemas
    valid = [i for i in range(span.start, span.stop) if i not in batch.invalid]
    records, end = batch.records, batch.records[span.stop - 1].offset() + 1
    datums = _datums([records[i] for i in valid], span.schema_id, resolve)
    timestamps = [record.timestamp()[1] for record in records[span.start : span.stop]]
    schema_id = {} if span.schema_id is None else {"schema-id": str(span.schema_id)}
    sealed = _sealed(
        chain,
        (start, end),
        (own if span.schema_id is None else resolve(span.schema_id), datums),
        _missing(start, end, [records[i].offset() for i in valid]),
        {
            "records": str(len(datums)),
            "dead_letters": str(span.stop - span.start - len(datums)),
            "first-timestamp": str(timestamps[0]),
            "last-timestamp": str(timestamps[-1]),
            "kind": "data",
            **schema_id,
        },
    )
    return replace(sealed, appended=Counter(timestamps))


def gap(chain: Chain, start: int, end: int, own: Mapping[str, Any]) -> Sealed:
    """An object that says: these offsets had left the log before the lake read them."""
    metadata = {"records": "0", "dead_letters": "0", "kind": "gap", "reason": f"the log begins at {end}"}
    return _sealed(chain, (start, end), (own, []), [(start, end)], metadata)


def _datums(records: Sequence[Record], newest: int | None, resolve: Resolve) -> list[bytes]:
    if newest is None:
        return []
    upgrade = upgrade_to(newest, resolve)
    framed = (unframe(record.value() or b"") for record in records)
    return [datum if schema_id == newest else upgrade(schema_id, datum) for schema_id, datum in framed]


def _sealed(
    chain: Chain,
    positions: tuple[int, int],
    rows: tuple[Mapping[str, Any], Sequence[bytes]],
    missing: list[tuple[int, int]],
    metadata: dict[str, str],
) -> Sealed:
    start, end = positions
    schema, datums = rows
    key = chain.key(start)
    body = container.write(key, schema, datums, {MISSING: json.dumps(missing)})
    metadata |= {"end": str(end), "sha256": sha256(body).hexdigest()}
    return Sealed(key, start, end, len(datums), body, metadata)


def _missing(start: int, end: int, present: Sequence[int]) -> list[tuple[int, int]]:
    if len(present) == end - start:
        return []
    found, position = [], start
    for offset in (*present, end):
        if offset > position:
            found.append((position, offset))
        position = offset + 1
    return found
