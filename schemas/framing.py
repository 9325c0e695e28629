"""Confluent's wire format: a zero byte, the schema's id in four bytes (big-endian), the Avro datum."""

from struct import Struct

from schemas.errors import InvalidEvent

_HEADER = Struct(">bI")
HEADER_BYTES = _HEADER.size


def frame(schema_id: int, datum: bytes) -> bytes:
    return _HEADER.pack(0, schema_id) + datum


def unframe(payload: bytes) -> tuple[int, bytes]:
    """The writer's schema id and the datum; InvalidEvent "not_framed" if the payload starts otherwise."""
    return schema_id(payload[:HEADER_BYTES]), payload[HEADER_BYTES:]


def schema_id(header: bytes) -> int:
    """The schema id in a payload's first five bytes; InvalidEvent "not_framed" if they are no header."""
    if len(header) < HEADER_BYTES or header[0] != 0:
        raise InvalidEvent(
            "not_framed",
            f"The payload starts with {header.hex() or 'nothing'}; it must start with 00 and a four-byte schema id.",
        )
    return int.from_bytes(header[1:HEADER_BYTES], "big")
