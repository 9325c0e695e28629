"""Signs tokens: JSON Web Tokens (RFC 7519). With the private key one can be anybody: only what signs reads it."""

from typing import Any

import msgspec
from joserfc import jws

from domain.identity.keys import ALGORITHM, read_private_key
from domain.identity.tokens import TYPES, Claims


class Signer:
    def __init__(self, private: bytes) -> None:
        """``private``: as ``new_private_key`` made it. ValueError for anything else."""
        self._key = read_private_key(private)

    def sign(self, claims: Claims) -> str:
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": TYPES[type(claims)]}
        return jws.serialize_compact(header, encoded(claims), self._key, algorithms=[ALGORITHM])


def encoded(claims: Claims) -> bytes:
    """As JSON, with the two times under their registered names, in seconds."""
    fields = msgspec.to_builtins(claims)
    times = {"iat": fields.pop("issued_at") / 1000, "exp": fields.pop("expires_at") / 1000}
    return msgspec.json.encode(fields | times)


def decoded(content: bytes, kind: type[Claims]) -> Claims:
    """The reverse of ``encoded``. ValueError if the content is of no such kind."""
    try:
        fields = msgspec.json.decode(content, type=dict[str, Any])
        times = {"issued_at": round(fields.pop("iat") * 1000), "expires_at": round(fields.pop("exp") * 1000)}
        return msgspec.convert(fields | times, kind)
    except (msgspec.MsgspecError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"no claims: {error}") from error
