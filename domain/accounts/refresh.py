"""Refresh tokens. The successor of a token is computed from it, so one that is used twice gets the same answer.

A token is a family, which all tokens of a sign-in begin with, and a secret. Nobody can guess a family, so a token with
a known one was ours once: if it is neither the newest that was used nor its successor, somebody has an old copy.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple

from domain.accounts.model import Chain

FAMILY_BYTES, SECRET_BYTES = 16, 32


class RefreshToken(NamedTuple):
    family: bytes
    secret: bytes

    @property
    def text(self) -> str:
        return urlsafe_b64encode(self.family + self.secret).decode()

    @property
    def digest(self) -> bytes:
        return sha256(self.family + self.secret).digest()

    @property
    def family_digest(self) -> bytes:
        return sha256(self.family).digest()

    def successor(self, key: bytes) -> "RefreshToken":
        return RefreshToken(self.family, hmac.digest(key, self.family + self.secret, "sha256"))

    def chain(self, key: bytes) -> Chain:
        """As it is when this token is the newest that was used."""
        return Chain(self.family_digest, self.digest, self.successor(key).digest)


def parse(text: str) -> RefreshToken | None:
    """None for what never was a token."""
    try:
        raw = urlsafe_b64decode(text.encode())
    except ValueError:
        return None
    return RefreshToken(raw[:FAMILY_BYTES], raw[FAMILY_BYTES:]) if len(raw) == FAMILY_BYTES + SECRET_BYTES else None


def derived(key: bytes, secret: bytes) -> RefreshToken:
    """A first token that follows from another secret, such as a television's device code."""
    raw = hmac.digest(key, b"family" + secret, "sha256")[:FAMILY_BYTES]
    return RefreshToken(raw, hmac.digest(key, b"first" + secret, "sha256"))


def advanced(chain: Chain, token: RefreshToken, key: bytes) -> Chain | None:
    """The chain after this token of its family was used; None if it is an old one: the family must end."""
    if hmac.compare_digest(token.digest, chain.held):
        return chain
    return token.chain(key) if hmac.compare_digest(token.digest, chain.following) else None
