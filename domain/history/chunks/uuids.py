"""UUIDs as three series of numbers. Of a UUIDv7 in a session only 74 bits are chance: its time is near the start."""

import re

import numpy as np

from domain.history.chunks.numbers import Ints, from_bytes, to_bytes
from domain.history.chunks.wire import Reader, block

_CANONICAL = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_PARTS = ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32))
"""Where in the text the digits from the first up to the last stand; between them are dashes."""


def is_uuid(text: str | None) -> bool:
    """In the one spelling that comes back; of any version."""
    return text is not None and _CANONICAL(text) is not None


def uuids_to_bytes(uuids: list[str], times: Ints) -> bytes:
    """``times``: near which each was made, ms. The first 48 bits less the time, the next 16, the last 64."""
    words = np.frombuffer(bytes.fromhex("".join(uuids).replace("-", "")), ">i8").astype(np.int64).reshape(-1, 2)
    high, low = words[:, 0], words[:, 1]
    series = (high >> 16 & 0xFFFF_FFFF_FFFF) - times, high & 0xFFFF, low
    return b"".join(block(to_bytes(one)) for one in series)


def uuids_from_bytes(reader: Reader, times: Ints) -> list[str]:
    ahead, middle, low = (from_bytes(reader.block(), len(times)) for _ in range(3))
    words = np.column_stack([(ahead + times) << 16 | middle, low])
    hexes = np.frombuffer(words.astype(">i8").tobytes().hex().encode(), np.uint8).reshape(-1, 32)
    characters = np.full((len(times), 37), ord("-"), np.uint8)
    for at, first, last in _PARTS:
        characters[:, at : at + last - first] = hexes[:, first:last]
    characters[:, 36] = ord(" ")
    return characters.tobytes().decode().split()
