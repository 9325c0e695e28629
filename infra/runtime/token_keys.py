"""The key files of a stack: the private key that signs tokens, which only its owner may read, and the public keys.

``playhead up`` makes both once. A service that only verifies reads the public file alone.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from domain.clock import system_clock
from domain.identity import keys
from domain.identity.signing import Signer
from domain.identity.verifying import IsRevoked, Verifier
from infra.local.program import StackError
from infra.runtime.settings import Settings

MOST_KEYS = 2
"""Public ones during a rotation: the new key's, and the one of the tokens that are around."""


def ensure(settings: Settings) -> None:
    """Make the files of the stack that are not there. Files that settings name are not ours to make."""
    if settings.token_signing_key is None and settings.token_keys is None:
        private = settings.signing_key_file
        if not private.exists():
            _write_once(private, keys.new_private_key())
        if not settings.public_keys_file.exists():
            _replace(settings.public_keys_file, keys.public_keys(private.read_bytes()), 0o644)


def rotate(settings: Settings) -> None:
    """Sign with a new key from now on. The public keys are the new one and the one before it."""
    private = keys.new_private_key()
    public = keys.only_newest(keys.public_keys(private, _read(settings.public_keys_file)), MOST_KEYS)
    _replace(settings.public_keys_file, public, 0o644)  # first: a token is verified wherever it is signed
    _replace(settings.signing_key_file, private, 0o600)


def retire(settings: Settings) -> None:
    """Refuse tokens of all keys but the newest."""
    _replace(settings.public_keys_file, keys.only_newest(_read(settings.public_keys_file), 1), 0o644)


def signer(settings: Settings) -> Signer:
    """StackError if there is no key."""
    return Signer(_read(settings.signing_key_file))


def verifier(settings: Settings, is_revoked: IsRevoked = lambda _: False) -> Verifier:
    """StackError if there are no public keys."""
    file = settings.public_keys_file
    _read(file)
    return Verifier(file.read_bytes, system_clock, is_revoked)


def accounts_secret(settings: Settings) -> bytes:
    """From which accounts derive refresh tokens and proofs of known devices. The stack's own is made once."""
    if given := settings.accounts_secret.get_secret_value():
        return given.encode()
    file = settings.folder / "keys" / "accounts.secret"
    if not file.exists():
        _write_once(file, secrets.token_hex().encode())
    return _read(file)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StackError(
            f"keys of tokens cannot be read: {error}. `playhead up` makes them, or set PLAYHEAD_TOKEN_SIGNING_KEY and "
            "PLAYHEAD_TOKEN_KEYS"
        ) from error


def _write_once(file: Path, content: bytes) -> None:
    """Unless another process was faster. Nobody finds it half written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_name(f"{file.name}.{os.getpid()}")
    _write(written, content, 0o600)
    with suppress(FileExistsError):
        os.link(written, file)
    written.unlink()


def _replace(file: Path, content: bytes, mode: int) -> None:
    written = file.with_name(f"{file.name}.{os.getpid()}")
    _write(written, content, mode)
    written.replace(file)


def _write(file: Path, content: bytes, mode: int) -> None:
    """FileExistsError if it is there."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(content)
        os.fsync(opened.fileno())
