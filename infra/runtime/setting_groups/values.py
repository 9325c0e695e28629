"""How values of settings are written, and checked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, FilePath, SecretStr

from domain.processes import MAX_WORKERS, PROCESSES

SECRET_LENGTH = 32
Network = Annotated[str, Field(pattern=r"^[0-9A-Fa-f.:]+(/\d{1,3})?$")]
Origin = Annotated[str, Field(pattern=r"^https?://[^/*?#@]+$")]
_HASH = re.compile("[0-9a-f]{64}")
CaFile = Annotated[FilePath, AfterValidator(Path.absolute)]
"""PEM. Absolute, since other processes get it too."""


def split(value: object) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def worker_counts(value: object) -> object:
    """``history=2,lake=1`` as a dictionary, each name and count checked."""
    pairs = value.items() if isinstance(value, Mapping) else (part.partition("=")[::2] for part in split(value))
    counts = {name.strip(): str(count).strip() for name, count in pairs}
    scalable = [process.name for process in PROCESSES if process.scalable]
    if unknown := [name for name in counts if name not in scalable]:
        raise ValueError(f"cannot scale {', '.join(unknown)}: choose from {', '.join(scalable)}")
    if wrong := [name for name, count in counts.items() if count not in map(str, range(1, MAX_WORKERS + 1))]:
        raise ValueError(f"expected {wrong[0]}=1 to {wrong[0]}={MAX_WORKERS}, not {wrong[0]}={counts[wrong[0]]}")
    return {name: int(count) for name, count in counts.items()}


def key_hashes(value: object) -> object:
    """``phone=2f5…,tv=90a…`` as a dictionary."""
    if isinstance(value, Mapping):
        return value
    pairs = [part.partition("=")[::2] for part in split(value)]
    if wrong := [name for name, digest in pairs if not (name.isalnum() and _HASH.fullmatch(digest))]:
        raise ValueError(f"expected name=SHA-256, 64 hexadecimal digits, near {wrong[0]!r}: `playhead key` makes both")
    return dict(pairs)


def named_keys(value: object) -> object:
    """``2026a=secret,2026b=another`` as a dictionary."""
    if isinstance(value, Mapping):
        return value
    pairs = [part.partition("=")[::2] for part in split(value)]
    if wrong := [name for name, secret in pairs if not name.isalnum() or not secret]:
        raise ValueError(f"expected name=secret, the name of letters and digits, near {wrong[0]!r}")
    return {name: SecretStr(secret) for name, secret in pairs}


def long_enough(secret: SecretStr) -> SecretStr:
    if 0 < len(secret) < SECRET_LENGTH:
        raise ValueError(f"must have at least {SECRET_LENGTH} characters")
    return secret


def absolute(path: Path | None) -> Path | None:
    """Other processes get it, too."""
    return path and path.expanduser().absolute()
