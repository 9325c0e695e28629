"""Authentication: ``Authorization: Bearer <key>``, or ``?key=`` for sendBeacon, which cannot set headers."""

import hmac
from collections.abc import Collection, Mapping


class ApiKeys:
    def __init__(self, keys: Collection[str]) -> None:
        self._keys = [key.encode() for key in keys]

    def accepts(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether the request carries a valid key. Compares in constant time."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        presented = token.strip() if scheme.lower() == "bearer" else query.get("key", "")
        given = presented.encode()
        return sum(hmac.compare_digest(given, key) for key in self._keys) > 0
