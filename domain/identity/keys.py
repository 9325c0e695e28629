"""Keys that sign tokens: a private one, and a set of public ones (RFC 7517) by which every service verifies.

A rotation takes three steps, with two public keys in between: add the new public key, sign with the new private key,
and remove the old public key when its last token has expired.
"""

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec
import uuid_utils
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

ALGORITHM: Final = "Ed25519"
"""EdDSA over Curve25519, by the name that RFC 9864 gave it."""


def new_private_key() -> bytes:
    """A private key as JSON. Its id is new, too."""
    key = OKPKey.generate_key(ALGORITHM, {"kid": str(uuid_utils.uuid7()), "use": "sig", "alg": ALGORITHM})
    return msgspec.json.encode(key.as_dict(private=True))


def public_keys(private: bytes, others: bytes | None = None) -> bytes:
    """The JWKS with the public part of a private key first, then the keys of another JWKS."""
    own = read_private_key(private).as_dict(private=False)
    kept = [key for key in _keys(others) if key["kid"] != own["kid"]] if others else []
    return msgspec.json.format(msgspec.json.encode({"keys": [own, *kept]}))


def only_newest(public: bytes, most: int) -> bytes:
    """The first keys of a JWKS."""
    return msgspec.json.format(msgspec.json.encode({"keys": _keys(public)[:most]}))


def read_private_key(private: bytes) -> OKPKey:
    """ValueError for anything but a private Ed25519 key with an id."""
    try:
        key = OKPKey.import_key(msgspec.json.decode(private, type=dict[str, Any]))
    except (JoseError, msgspec.MsgspecError, KeyError, TypeError) as error:
        raise ValueError(f"no private key: {error}") from error
    if not key.is_private or key.get("crv") != ALGORITHM or not key.kid:
        raise ValueError(f"no private {ALGORITHM} key with an id")
    return key


def read_public_keys(public: bytes) -> KeySet:
    """ValueError for anything but a JWKS of Ed25519 keys with ids."""
    keys = _keys(public)
    if not keys or any(key.get("crv") != ALGORITHM or not key.get("kid") for key in keys):
        raise ValueError(f"no JWKS of {ALGORITHM} keys with ids")
    try:
        return KeySet.import_key_set({"keys": cast(Any, keys)})
    except (JoseError, KeyError, TypeError) as error:
        raise ValueError(f"no JWKS: {error}") from error


def _keys(public: bytes) -> Sequence[dict[str, Any]]:
    try:
        return msgspec.json.decode(public, type=dict[str, list[dict[str, Any]]])["keys"]
    except (msgspec.MsgspecError, KeyError) as error:
        raise ValueError(f"no JWKS: {error}") from error
