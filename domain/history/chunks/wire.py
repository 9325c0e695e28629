"""The three shapes that bytes in a chunk's body have: varint, signed varint, block."""

from domain.history.chunks.errors import CorruptChunk


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow. ``value`` is 0 or more."""
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
    """Reads from the front. CorruptChunk where the bytes end too early."""

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
