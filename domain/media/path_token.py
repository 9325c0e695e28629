"""Path tokens: what lets one session fetch one asset's files, up to a quality, until a time.

A token is the first part of a path, ``/t/<token>/<version>/q<n>/<file>``: relative addresses in a playlist inherit a
path and not a query. It is ``<claims>.<mac>``, both base64url without padding: claims are
``version|session|expires_at|quality|key``, the mac is HMAC-SHA-256 over the encoded claims. The edge verifies it alone.
"""

import binascii
import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_TOKEN = re.compile(r"(?<![\w-])[\w-]{20,}\.[\w-]{43}(?![\w-])", re.ASCII)


@dataclass(frozen=True, slots=True)
class PathToken:
    version: str
    """Of the asset: the folder that it opens."""
    session: str
    """Playback session, for the edge's access log."""
    expires_at: int
    """Seconds since the epoch."""
    quality: int
    """The highest one that it opens."""

    def signed(self, key: str, secret: bytes) -> str:
        """The token. ``key`` is the name of the key, by which the edge finds ``secret``."""
        claims = _encoded(f"{self.version}|{self.session}|{self.expires_at}|{self.quality}|{key}".encode())
        return f"{claims}.{_mac(secret, claims)}"

    @classmethod
    def read(cls, token: str, secrets: Mapping[str, bytes]) -> Self | None:
        """What a token says, whether expired or not; None if none of the keys signed it. ``secrets`` by name."""
        claims, _, mac = token.partition(".")
        try:
            version, session, expires_at, quality, key = _decoded(claims).split("|")
            if not hmac.compare_digest(_mac(secrets[key], claims).encode(), mac.encode()):
                return None
            return cls(version, session, int(expires_at), int(quality))
        except (ValueError, KeyError, binascii.Error):
            return None


def redacted(text: str) -> str:
    """The text without path tokens: an address that lets anybody fetch a video is no part of a report."""
    return _TOKEN.sub("…", text)


def _mac(secret: bytes, claims: str) -> str:
    return _encoded(hmac.digest(secret, claims.encode(), hashlib.sha256))


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(text: str) -> str:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
