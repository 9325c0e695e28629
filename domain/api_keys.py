"""Keys of the collector's clients. Only their hashes are kept, so a key is shown once: when it is made."""

from hashlib import sha256
from secrets import token_urlsafe


def new_key() -> str:
    """256 random bits: too many to guess, so a fast hash is enough."""
    return f"ph-{token_urlsafe(32)}"


def hashed(key: str) -> str:
    """SHA-256, in lower-case hexadecimal."""
    return sha256(key.encode()).hexdigest()
