"""A series of 64-bit integers to bytes: as bits of one width, or by pcodec; whichever is shorter.

pcodec sorts the values into bins found in the data, and entropy-codes bin and offset: it suits long series of any
distribution. Its description of the bins costs more than it saves on a few dozen values, or on equal values (width 0):
those are packed.
"""

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec
from pcodec.wrapped import FileCompressor, FileDecompressor

from domain.history.chunks.layout import Reader, signed

Ints = NDArray[np.int64]

PCO = 0xFF
PCO_HEADER = b"\x04\x01"
"""The start of every pcodec file, its format version: the same for every series, so not stored."""
_DESCRIPTION = 12
"""About the bytes that pcodec takes to describe even a few bins: below this it gains nothing."""
_PCO_FILE, _ = FileDecompressor.new(PCO_HEADER)
_CONFIG = ChunkConfig(compression_level=8, delta_spec=DeltaSpec.no_op(), mode_spec=ModeSpec.classic())


def to_bytes(values: Ints) -> bytes:
    """At least one value. The first byte is the width in bits, 0-64, or ``PCO``."""
    least = int(values.min())
    offsets = (values - least).view(np.uint64)  # wraps around 64 bits, and back again when read
    width = int(offsets.max()).bit_length()
    packed = bytes([width]) + signed(least) + _pack(offsets, width)
    if len(packed) <= _DESCRIPTION:
        return packed
    return min(packed, bytes([PCO]) + _pco(values), key=len)


def from_bytes(data: bytes, count: int) -> Ints:
    reader = Reader(data)
    width = reader.take(1)[0]
    if width == PCO:
        return _from_pco(reader.rest(), count)
    least = reader.signed()
    return _unpack(reader.take((count * width + 7) // 8), width, count).view(np.int64) + least


def _pack(offsets: NDArray[np.uint64], width: int) -> bytes:
    bits = offsets[:, None] >> np.arange(width, dtype=np.uint64) & np.uint64(1)
    return np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def _unpack(data: bytes, width: int, count: int) -> NDArray[np.uint64]:
    if width == 0:
        return np.zeros(count, np.uint64)
    bit = np.arange(0, count * width, width)
    # A value begins in one word and may end in the next.
    words = np.frombuffer(data + bytes(16 - len(data) % 8), "<u8")
    word, shift = bit >> 6, (bit & 63).view(np.uint64)
    high = words[word + 1] << np.uint64(1) << (np.uint64(63) - shift)  # by 64 at once would be no shift at all
    values: NDArray[np.uint64] = (words[word] >> shift | high) & np.uint64((1 << width) - 1)
    return values


def _pco(values: Ints) -> bytes:
    chunk = FileCompressor().chunk_compressor(np.ascontiguousarray(values), _CONFIG)
    return bytes(chunk.write_meta() + chunk.write_page(0))


def _from_pco(data: bytes, count: int) -> Ints:
    chunk, described = _PCO_FILE.chunk_decompressor(data, "i64")
    values = np.empty(count, np.int64)
    chunk.read_page_into(data[described:], count, values)
    return values
