"""UUIDs as three series of numbers. Of a UUIDv7 in a session only 74 bits are chance: its time is near the start."""

import re

import numpy as np

from streams.history.chunks.numbers import Ints, from_bytes, to_bytes
from streams.history.chunks.wire import Reader, block

_CANONICAL = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_DIGITS = [at for at in range(36) if at not in (8, 13, 18, 23)]
"""Where the others are dashes."""


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
    characters = np.full((len(times), 36), ord("-"), np.uint8)
    hexes = words.astype(">i8").tobytes().hex().encode()
    characters[:, _DIGITS] = np.frombuffer(hexes, np.uint8).reshape(-1, 32)
    text = characters.tobytes().decode()
    return [text[at : at + 36] for at in range(0, len(text), 36)]
