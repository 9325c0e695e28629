"""Verifies tokens by public keys alone. A token that was verified is known by its hash until it expires."""

from collections.abc import Callable
from hashlib import sha256
from typing import Literal

from cachetools import TLRUCache
from joserfc import jws
from joserfc.errors import JoseError

from domain.clock import Clock
from domain.identity.keys import ALGORITHM, read_public_keys
from domain.identity.signing import decoded
from domain.identity.tokens import KINDS, Claims

MOST_CACHED = 50_000
MOST_BYTES = 4096
"""Of a token. A member's with five profiles has about 900."""
REREAD_MS = 10_000
"""How often the public keys are read again."""
REREAD_FOR_UNKNOWN_MS = 1_000
"""How often a token that none of the keys signed makes us read them again: its key may be new."""
IsRevoked = Callable[[Claims], bool]
Fault = Literal["bad_token", "expired_token", "old_token", "revoked_token"]
REASONS: dict[Fault, str] = {
    "bad_token": "The token is not one of ours. Sign in again.",
    "expired_token": "The token has expired. Refresh it, or sign in again.",
    "old_token": "The token is too old for this. Refresh it.",
    "revoked_token": "The token was revoked. Sign in again.",
}


class TokenRefused(Exception):
    """The token proves nothing. ``code`` is stable, for programs; the message is for people."""

    def __init__(self, code: Fault) -> None:
        self.code = code
        super().__init__(REASONS[code])


class Verifier:
    """``read_keys`` returns the JWKS: it is read again from time to time, so that keys can be rotated while we run. An
    OSError or ValueError is raised at the start only; later the keys that were read last stay."""

    def __init__(self, read_keys: Callable[[], bytes], now: Clock, is_revoked: IsRevoked = lambda _: False) -> None:
        self._read_keys = read_keys
        self._now = now
        self._is_revoked = is_revoked
        self._verified: TLRUCache[bytes, Claims] = TLRUCache(
            MOST_CACHED, ttu=lambda _, claims, __: claims.expires_at, timer=now
        )
        self._content = read_keys()
        self._keys = read_public_keys(self._content)
        self._read_at = now()

    def verify(self, token: str, max_age_ms: int) -> Claims:
        """What the token says. TokenRefused unless one of our keys signed it, it has not expired, it was issued at
        most ``max_age_ms`` ago, and it was not revoked."""
        now = self._now()
        self._reread(now, REREAD_MS)
        name = sha256(token.encode()).digest()
        claims = self._verified.get(name)
        if claims is None:
            claims = self._checked(token, now)
            if claims.expires_at <= now:
                raise TokenRefused("expired_token")
            self._verified[name] = claims
        if now - claims.issued_at > max_age_ms:
            raise TokenRefused("old_token")
        if self._is_revoked(claims):
            raise TokenRefused("revoked_token")
        return claims

    def _checked(self, token: str, now: int) -> Claims:
        """What a token says that one of our keys signed."""
        if len(token) > MOST_BYTES:
            raise TokenRefused("bad_token")
        try:
            return self._read(token)
        except TokenRefused:
            if not self._reread(now, REREAD_FOR_UNKNOWN_MS):
                raise
            return self._read(token)

    def _read(self, token: str) -> Claims:
        try:
            signed = jws.deserialize_compact(token, self._keys, algorithms=[ALGORITHM])
            kind = KINDS[signed.headers()["typ"]]
            return decoded(signed.payload or b"", kind)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise TokenRefused("bad_token") from error

    def _reread(self, now: int, after_ms: int) -> bool:
        """Whether there are other keys than before. They are read if they were read at least ``after_ms`` ago."""
        if now - self._read_at < after_ms:
            return False
        self._read_at = now
        try:
            content = self._read_keys()
            if content == self._content:
                return False
            self._keys, self._content = read_public_keys(content), content
        except (OSError, ValueError):  # better the keys of a moment ago than none
            return False
        self._verified.clear()  # a key may have been removed
        return True
