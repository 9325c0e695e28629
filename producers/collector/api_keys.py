"""Who may send: a key in ``Authorization: Bearer …``, or in ``?key=`` for sendBeacon, which cannot set headers."""

import hmac
from collections.abc import Collection, Mapping


class Keys:
    def __init__(self, keys: Collection[str]) -> None:
        self._keys = [key.encode() for key in keys]

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether the request carries one of the keys; takes the same time whichever it is."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        presented = token.strip() if scheme.lower() == "bearer" else query.get("key", "")
        given = presented.encode()
        return sum(hmac.compare_digest(given, key) for key in self._keys) > 0
