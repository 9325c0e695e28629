"""Avro object container files whose datums pass through unchanged: nothing is decoded or encoded again.

The same records under the same key give the same bytes, because the sync marker is derived from the key.
"""

import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from hashlib import md5
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from schemas.avro import physical

BLOCK_BYTES = 256 * 1024
"""Datum bytes in one block before deflate: large enough for the codec, small enough for readers to skip and split."""

DEFLATE_LEVEL = 1
"""Two thirds of level 3's time for 2 % more bytes. Most of an event is ids, which no level compresses."""

_SYNC = {"type": "fixed", "name": "Sync", "size": 16}
_HEADER = parse_schema(
    {
        "type": "record",
        "name": "Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": _SYNC},
        ],
    }
)
_BLOCK = parse_schema(
    {
        "type": "record",
        "name": "Block",
        "fields": [
            {"name": "count", "type": "long"},
            {"name": "data", "type": "bytes"},
            {"name": "sync", "type": _SYNC},
        ],
    }
)


def write(key: str, schema: Mapping[str, Any], datums: Sequence[bytes], metadata: Mapping[str, str]) -> bytes:
    """A container file with these Avro datums, all written with ``schema``."""
    sync = md5(key.encode(), usedforsecurity=False).digest()
    meta = {"avro.schema": json.dumps(schema), "avro.codec": "deflate", **metadata}
    out = io.BytesIO()
    header = {"magic": b"Obj\x01", "meta": {name: text.encode() for name, text in meta.items()}, "sync": sync}
    schemaless_writer(out, _HEADER, header)
    for block in _blocks(datums):
        data = zlib.compress(b"".join(block), DEFLATE_LEVEL, wbits=-zlib.MAX_WBITS)
        schemaless_writer(out, _BLOCK, {"count": len(block), "data": data, "sync": sync})
    return out.getvalue()


def _blocks(datums: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    start = size = 0
    for index, datum in enumerate(datums):
        size += len(datum)
        if size >= BLOCK_BYTES:
            yield datums[start : index + 1]
            start, size = index + 1, 0
    if start < len(datums):
        yield datums[start:]


def read(body: bytes) -> tuple[dict[str, str], Iterator[dict[str, Any]]]:
    """The file's metadata and its rows, read with the writer's schema. Values are physical: text and integers."""
    metadata, blocks = read_blocks(body)
    return metadata, _rows(blocks, parse_schema(physical(json.loads(metadata["avro.schema"]))))


def read_datums(body: bytes) -> tuple[dict[str, str], Iterator[bytes]]:
    """The file's metadata and its rows as Avro datums, not decoded. Raises ValueError for bytes that are no rows."""
    metadata, blocks = read_blocks(body)
    return metadata, _datums(blocks, parse_schema(physical(json.loads(metadata["avro.schema"]))))


def _datums(blocks: Iterator[tuple[int, bytes]], schema: Any) -> Iterator[bytes]:
    for count, datums in blocks:
        data, start = io.BytesIO(datums), 0
        for _ in range(count):
            try:
                schemaless_reader(data, schema, None)
            except Exception as error:  # of many unrelated classes: what it is depends on the byte that is wrong
                raise ValueError(f"a row is not readable with its schema: {error}") from error
            yield datums[start : data.tell()]
            start = data.tell()


def read_schema(body: bytes) -> dict[str, Any]:
    """The writer's schema."""
    metadata, _ = read_blocks(body)
    return cast(dict[str, Any], json.loads(metadata["avro.schema"]))


def read_blocks(body: bytes) -> tuple[dict[str, str], Iterator[tuple[int, bytes]]]:
    """The file's metadata and its blocks: the number of datums, and their concatenated bytes, not decoded."""
    source = io.BytesIO(body)
    header = cast(dict[str, Any], schemaless_reader(source, _HEADER, None))
    metadata = {name: text.decode() for name, text in header["meta"].items()}
    return metadata, _blocks_of(source, len(body))


def _blocks_of(source: io.BytesIO, size: int) -> Iterator[tuple[int, bytes]]:
    while source.tell() < size:
        block = cast(dict[str, Any], schemaless_reader(source, _BLOCK, None))
        yield block["count"], zlib.decompress(block["data"], wbits=-zlib.MAX_WBITS)


def _rows(blocks: Iterator[tuple[int, bytes]], schema: Any) -> Iterator[dict[str, Any]]:
    for count, datums in blocks:
        data = io.BytesIO(datums)
        for _ in range(count):
            yield cast(dict[str, Any], schemaless_reader(data, schema, None))
