"""A file of the stack's folder that a process starts from while others are away. It is whole, or the one before it."""

import os
from pathlib import Path
from typing import NamedTuple

import structlog

_log = structlog.get_logger(__name__)


class Kept(NamedTuple):
    content: bytes
    at: int
    """When it was written, in milliseconds since the epoch."""


class KeptFile:
    """No method raises: a process that cannot keep a file still serves, and says so in its log."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Kept | None:
        """None: there is none."""
        try:
            return Kept(self.path.read_bytes(), self.path.stat().st_mtime_ns // 1_000_000)
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("a kept file cannot be read: starting without it", file=str(self.path), why=str(error))
            return None

    def write(self, content: bytes) -> None:
        """In place of the one before, on the disk when this returns."""
        written = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with written.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            written.replace(self.path)
        except OSError as error:
            _log.warning("a kept file cannot be written", file=str(self.path), why=str(error))
