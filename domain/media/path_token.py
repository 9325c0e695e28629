"""Path tokens: what lets one session fetch one asset's files, up to a quality, until a time.

A token is the first part of a path, ``/t/<token>/<version>/q<n>/<file>``: relative addresses in a playlist inherit a
path and not a query. It is ``<claims>.<mac>``, both base64url without padding: claims are
``version|session|expires_at|quality|key``, the mac is HMAC-SHA-256 over the encoded claims. The edge verifies it alone.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass


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
        return f"{claims}.{_encoded(hmac.digest(secret, claims.encode(), hashlib.sha256))}"


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
