"""The bytes of a chunk around its columns: header, checksum, and the three shapes that bytes have within.

    magic 4 | format version 1 | CRC-32 4 | schema 8 | owner 4 | count 4 | first 8 | last 8 | columns …

Little-endian. The checksum covers every byte but its own four, and is at the same place in every version.
"""

import struct
import zlib
from dataclasses import dataclass

MAGIC = b"PHvh"
FORMAT_VERSION = 1
_START = struct.Struct("<4sBI")
_UNCHECKED = struct.Struct("<4sB")
_FIELDS = struct.Struct("<8sIIqq")


class CorruptChunk(Exception):
    """Damaged, cut off or of another profile: its bytes are not what was written for this profile."""


class UnknownSchema(Exception):
    """Intact, but newer than this software: it cannot be read, or not be rewritten without loss."""


@dataclass(frozen=True, slots=True)
class Header:
    format_version: int
    schema: str
    """Fingerprint (CRC-64-AVRO, hex) of the viewing record's Avro schema that the writer had."""
    owner: int
    """CRC-32 of the profile id: a chunk of another profile is recognised."""
    count: int
    first_started_at: int
    """``session_started_at`` of the first record, ms; ``last_started_at``: of the last."""
    last_started_at: int


def owner_of(profile_id: str) -> int:
    return zlib.crc32(profile_id.encode())


def pack(header: Header, columns: dict[int, bytes]) -> bytes:
    """The bytes of a chunk with these columns, by column id."""
    fields = _FIELDS.pack(
        bytes.fromhex(header.schema), header.owner, header.count, header.first_started_at, header.last_started_at
    )
    rest = fields + b"".join(varint(id) + block(column) for id, column in columns.items())
    return _START.pack(MAGIC, header.format_version, _checksum(header.format_version, rest)) + rest


def unpack(chunk: bytes) -> tuple[Header, dict[int, bytes]]:
    """The header, and each column's bytes by id. Raises CorruptChunk, or UnknownSchema for a newer format."""
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


def varint(value: int) -> bytes:
    """Seven bits per byte, lowest first; the top bit says that more follow. ``value`` is 0 or more."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """Zigzag: 0, -1, 1, -2, … as varints 0, 1, 2, 3, …"""
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def block(body: bytes) -> bytes:
    """Its length as varint, then the bytes."""
    return varint(len(body)) + body


class Reader:
    """Reads bytes from the front. Raises CorruptChunk where they end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise CorruptChunk(f"{size} bytes are announced, {len(self._data) - self._at} are there")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)

    def varint(self) -> int:
        value = shift = 0
        while True:
            if self.at_end:
                raise CorruptChunk("the bytes end within a number")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def signed(self) -> int:
        value = self.varint()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def block(self) -> bytes:
        return self.take(self.varint())
