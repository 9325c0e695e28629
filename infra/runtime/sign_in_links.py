"""Links that sign a browser in on this machine, each once: a file of the stack has the token, the address its name.

So no token is ever in an address, where logs and a browser's history would keep it.
"""

import os
import re
import secrets
import time
from pathlib import Path

import msgspec

from infra.runtime.settings import Settings

HOLDS_S = 600
_NAME = re.compile(r"[\w-]{22}")


class SignIn(msgspec.Struct, frozen=True):
    token: str
    to: str
    """Path of the page that the browser sees next."""


def make(settings: Settings, sign_in: SignIn) -> str:
    """The address that signs in, for the next ten minutes."""
    name = secrets.token_urlsafe(16)
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(sign_in))
    return f"{settings.playback_url}/sign-in/{name}"


def take(settings: Settings, name: str) -> SignIn | None:
    """What the link of that name is for; None if it was used, is too old, or never was."""
    if not _NAME.fullmatch(name):
        return None
    file = _folder(settings) / name
    try:
        content, made_at = file.read_bytes(), file.stat().st_mtime
        file.unlink()  # of two that come at once, one finds it gone
        return msgspec.json.decode(content, type=SignIn) if time.time() - made_at < HOLDS_S else None
    except (OSError, msgspec.MsgspecError):
        return None


def _folder(settings: Settings) -> Path:
    return settings.folder / "sign-in"
