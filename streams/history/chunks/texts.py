"""A column of texts: a table of its distinct values, and for each record the value's number in the table.

Most texts are few and repeat (devices, titles, states). Those that don't are ids, most often UUIDs.
"""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from streams.history.chunks.numbers import Ints, from_bytes, to_bytes
from streams.history.chunks.uuids import is_uuid, uuids_from_bytes, uuids_to_bytes
from streams.history.chunks.wire import Reader, block

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
    """Where each text of the table appears first."""
    return np.unique(numbers, return_index=True)[1].astype(np.int64)


def marked(numbers: Ints) -> Ints:
    """0 for a text's first use, whose number is known; else the number + 1. So ids that never repeat are all 0."""
    codes = numbers + 1
    codes[first_uses(numbers)] = 0
    return codes


def unmarked(codes: Ints) -> Ints:
    return np.where(codes == 0, np.cumsum(codes == 0) - 1, codes - 1)


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
    sizes = from_bytes(reader.block(), len(times))
    are_uuids = sizes == _UUID
    if are_uuids.all():  # session ids: no need to look at each
        return [*uuids_from_bytes(reader, times)]
    uuids = iter(uuids_from_bytes(reader, times[are_uuids]) if are_uuids.any() else [])
    others = Reader(zlib.decompressobj(_RAW_DEFLATE, PRESET).decompress(reader.rest()))
    return list(_texts(sizes, uuids, others))


def _size(text: Text) -> int:
    if text is None:
        return _NULL
    return _UUID if is_uuid(text) else _LENGTH + len(text.encode())


def _texts(sizes: Ints, uuids: Iterator[str], others: Reader) -> Iterator[Text]:
    for size in sizes.tolist():
        if size == _NULL:
            yield None
        elif size == _UUID:
            yield next(uuids)
        else:
            yield others.take(size - _LENGTH).decode()


def _deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, wbits=_RAW_DEFLATE, zdict=PRESET)
    return deflate.compress(data) + deflate.flush()
