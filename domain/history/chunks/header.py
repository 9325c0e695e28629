"""The head of a chunk, and the checksum over all of it.

    magic 4 | format version 1 | CRC-32 4 | schema 8 | owner 4 | count 4 | first 8 | last 8 | columns …

Little-endian. The checksum covers every byte but its own four. It stands where it does in every version.
"""

import struct
import zlib
from dataclasses import dataclass

from domain.history.chunks.errors import CorruptChunk, UnknownSchema
from domain.history.chunks.wire import Reader, block, varint

MAGIC = b"PHvh"
FORMAT_VERSION = 1
_START = struct.Struct("<4sBI")
_UNCHECKED = struct.Struct("<4sB")
_FIELDS = struct.Struct("<8sIIqq")


@dataclass(frozen=True, slots=True)
class Header:
    format_version: int
    schema: str
    """Fingerprint (CRC-64-AVRO, hex) of the viewing record's Avro schema that the writer had."""
    owner: int
    """CRC-32 of the profile id: a chunk cannot pass for another profile's."""
    count: int
    first_started_at: int
    """`session_started_at` of the first record and of the last, ms."""
    last_started_at: int


def owner_of(profile_id: str) -> int:
    return zlib.crc32(profile_id.encode())


def seal(header: Header, columns: dict[int, bytes]) -> bytes:
    """The whole chunk, of columns by id."""
    fields = _FIELDS.pack(
        bytes.fromhex(header.schema), header.owner, header.count, header.first_started_at, header.last_started_at
    )
    rest = fields + b"".join(varint(id) + block(column) for id, column in columns.items())
    return _START.pack(MAGIC, header.format_version, _checksum(header.format_version, rest)) + rest


def unseal(chunk: bytes) -> tuple[Header, dict[int, bytes]]:
    """The header and each column's bytes by id. CorruptChunk; UnknownSchema for a newer format."""
    if len(chunk) < _START.size:
        raise CorruptChunk(f"{len(chunk)} bytes are no chunk")
    magic, version, checksum = _START.unpack_from(chunk)
    rest = chunk[_START.size :]
    if magic != MAGIC:
        raise CorruptChunk(f"starts with {magic.hex()}")
    if checksum != _checksum(version, rest):
        raise CorruptChunk("the checksum differs")
    if version != FORMAT_VERSION:
        raise UnknownSchema(f"chunk format {version}; this software reads {FORMAT_VERSION}")
    reader = Reader(rest)
    schema, owner, count, first, last = _FIELDS.unpack(reader.take(_FIELDS.size))
    columns: dict[int, bytes] = {}
    while not reader.at_end:
        column_id = reader.varint()
        columns[column_id] = reader.block()
    return Header(version, schema.hex(), owner, count, first, last), columns


def _checksum(version: int, rest: bytes) -> int:
    return zlib.crc32(rest, zlib.crc32(_UNCHECKED.pack(MAGIC, version)))
