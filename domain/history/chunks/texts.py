"""A column of texts: a table of its distinct values, and for each record the value's number in the table.

Most texts are few and repeat (devices, titles, states). Those that don't are ids, most often UUIDs.
"""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from domain.history.chunks.errors import CorruptChunk
from domain.history.chunks.numbers import Ints, from_bytes, to_bytes
from domain.history.chunks.uuids import is_uuid, uuids_from_bytes, uuids_to_bytes
from domain.history.chunks.wire import Reader, block

Text = str | None

_NULL, _UUID, _LENGTH = 0, 1, 2
"""Sizes in the table; from ``_LENGTH`` on, the length in UTF-8 is added."""
_RAW_DEFLATE = -15
PRESET = (
    b"set_top_boxconsoledesktoptabletphonetrailerliveepisodefilmunknownrebufferingseekingstarting"
    b"quality_changedrebuffer_startedrebuffer_endedseekedresumedpausedfirst_frameplay_requestedplaying"
    b"heartbeaterrorendedstoppedtv"
)
"""Deflate's preset dictionary: words that chunks are full of. Part of the format, so never changed."""


def numbered(texts: Sequence[Text]) -> tuple[Ints, list[Text]]:
    """The texts' numbers, and the distinct texts in order of appearance."""
    table = list(dict.fromkeys(texts))
    number_of = {text: number for number, text in enumerate(table)}
    return np.array([number_of[text] for text in texts], np.int64), table


def first_uses(numbers: Ints) -> Ints:
    """Where each text of the table appears first: with a number higher than all before it."""
    highest = np.maximum.accumulate(numbers)
    is_first = np.ones(len(numbers), np.bool_)
    np.greater(highest[1:], highest[:-1], out=is_first[1:])
    return is_first.nonzero()[0]


def marked(numbers: Ints) -> Ints:
    """0 for a text's first use, whose number is known; else the number + 1. So ids that never repeat are all 0."""
    codes = numbers + 1
    codes[first_uses(numbers)] = 0
    return codes


def unmarked(codes: Ints) -> Ints:
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
        + (uuids_to_bytes(uuids, times[sizes == _UUID]) if uuids else b"")
        + _deflated(others.encode())
    )


def table_from_bytes(reader: Reader, times: Ints) -> list[Text]:
    """As many texts as there are times; takes all that the reader has."""
    series = from_bytes(reader.block(), len(times))
    sizes = series.tolist()
    uuids: list[str] = []
    if _UUID in sizes:
        uuids = uuids_from_bytes(reader, times[series == _UUID])
        if len(uuids) == len(times):  # session ids: no need to look at each
            return [*uuids]
    others = zlib.decompressobj(_RAW_DEFLATE, PRESET).decompress(reader.rest())
    return list(_texts(sizes, iter(uuids), others))


def _size(text: Text) -> int:
    if text is None:
        return _NULL
    return _UUID if is_uuid(text) else _LENGTH + len(text.encode())


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
        raise CorruptChunk(f"{at} bytes of text are announced, {len(others)} are there")


def _deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, wbits=_RAW_DEFLATE, zdict=PRESET)
    return deflate.compress(data) + deflate.flush()
