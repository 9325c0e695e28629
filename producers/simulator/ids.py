"""UUIDv7 from a given clock and random generator, so that a simulation is reproducible bit for bit."""

from random import Random


def uuid7(ms: int, rng: Random) -> str:
    """48 bits of milliseconds, the version, 74 random bits; text, lower case."""
    bits = rng.getrandbits(74)
    tail = f"{0x8000000000000000 | (bits & 0x3FFFFFFFFFFFFFFF):016x}"
    head = f"{ms:012x}"
    return f"{head[:8]}-{head[8:]}-7{bits >> 62:03x}-{tail[:4]}-{tail[4:]}"
