"""A column of texts: a table of its distinct values, and for each record the value's number in the table.

Most texts are few and repeat (devices, titles, states). Those that do not repeat are ids, usually UUIDs.
"""

import re
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from domain.history.chunks.layout import CorruptChunk, Reader, block
from domain.history.chunks.numbers import Ints, from_bytes, to_bytes

Text = str | None

_NULL, _UUID, _LENGTH = 0, 1, 2
"""Sizes in the table; from ``_LENGTH`` on, the length in UTF-8 is added."""
_RAW_DEFLATE = -15
_CANONICAL = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_PARTS = ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32))
"""Of a UUID: where in the text the digits from the first up to the last are; between them are dashes."""
PRESET = (
    b"set_top_boxconsoledesktoptabletphonetrailerliveepisodefilmunknownrebufferingseekingstarting"
    b"quality_changedrebuffer_startedrebuffer_endedseekedresumedpausedfirst_frameplay_requestedplaying"
    b"heartbeaterrorendedstoppedtv"
)
"""Deflate's preset dictionary: words that chunks are full of. Part of the format, so never changed."""


def dictionary_encode(texts: Sequence[Text]) -> tuple[Ints, list[Text]]:
    """Each text's number, and the distinct texts in order of appearance."""
    table = list(dict.fromkeys(texts))
    number_of = {text: number for number, text in enumerate(table)}
    return np.array([number_of[text] for text in texts], np.int64), table


def first_occurrences(numbers: Ints) -> Ints:
    """Positions where each text of the table appears first: its number is higher than all before it."""
    highest = np.maximum.accumulate(numbers)
    is_first = np.ones(len(numbers), np.bool_)
    np.greater(highest[1:], highest[:-1], out=is_first[1:])
    return is_first.nonzero()[0]


def encode_first_use(numbers: Ints) -> Ints:
    """0 for a text's first use, whose number is implied; else the number + 1. Ids that never repeat are all 0."""
    codes = numbers + 1
    codes[first_occurrences(numbers)] = 0
    return codes


def decode_first_use(codes: Ints) -> Ints:
    is_first = codes == 0
    return np.where(is_first, is_first.cumsum(), codes) - 1


def table_to_bytes(table: Sequence[Text], times: Ints) -> bytes:
    """``times``: for each text the start of the first session that has it, ms."""
    sizes = np.array([_size(text) for text in table], np.int64)
    sized = list(zip(table, sizes.tolist(), strict=True))
    uuids = [text for text, size in sized if text and size == _UUID]
    others = "".join(text for text, size in sized if text and size != _UUID)
    return (
        block(to_bytes(sizes))
        + (_uuids_to_bytes(uuids, times[sizes == _UUID]) if uuids else b"")
        + _deflate(others.encode())
    )


def table_from_bytes(reader: Reader, times: Ints) -> list[Text]:
    """As many texts as there are times; reads to the end."""
    series = from_bytes(reader.block(), len(times))
    sizes = series.tolist()
    uuids: list[str] = []
    if _UUID in sizes:
        uuids = _uuids_from_bytes(reader, times[series == _UUID])
        if len(uuids) == len(times):  # session ids: no need to look at each
            return [*uuids]
    others = zlib.decompressobj(_RAW_DEFLATE, PRESET).decompress(reader.rest())
    return list(_texts(sizes, iter(uuids), others))


def _size(text: Text) -> int:
    if text is None:
        return _NULL
    return _UUID if _is_uuid(text) else _LENGTH + len(text.encode())


def _texts(sizes: Sequence[int], uuids: Iterator[str], others: bytes) -> Iterator[Text]:
    at = 0
    for size in sizes:
        if size == _NULL:
            yield None
        elif size == _UUID:
            yield next(uuids)
        else:
            end = at + size - _LENGTH
            yield others[at:end].decode()
            at = end
    if at > len(others):
        raise CorruptChunk(f"{at} bytes of text are announced, {len(others)} are present")


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, wbits=_RAW_DEFLATE, zdict=PRESET)
    return compressor.compress(data) + compressor.flush()


def _is_uuid(text: str | None) -> bool:
    """In the only spelling that decoding returns; of any version."""
    return text is not None and _CANONICAL(text) is not None


def _uuids_to_bytes(uuids: list[str], times: Ints) -> bytes:
    """Three series: the first 48 bits less the time, the next 16, the last 64. ``times``: about when each was made, ms.

    Of a UUIDv7 in a session only 74 bits are random: its time is near the start.
    """
    words = np.frombuffer(bytes.fromhex("".join(uuids).replace("-", "")), ">i8").astype(np.int64).reshape(-1, 2)
    high, low = words[:, 0], words[:, 1]
    series = (high >> 16 & 0xFFFF_FFFF_FFFF) - times, high & 0xFFFF, low
    return b"".join(block(to_bytes(one)) for one in series)


def _uuids_from_bytes(reader: Reader, times: Ints) -> list[str]:
    ahead, middle, low = (from_bytes(reader.block(), len(times)) for _ in range(3))
    words = np.column_stack([(ahead + times) << 16 | middle, low])
    hexes = np.frombuffer(words.astype(">i8").tobytes().hex().encode(), np.uint8).reshape(-1, 32)
    characters = np.full((len(times), 37), ord("-"), np.uint8)
    for at, first, last in _PARTS:
        characters[:, at : at + last - first] = hexes[:, first:last]
    characters[:, 36] = ord(" ")
    return characters.tobytes().decode().split()
