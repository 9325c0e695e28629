"""What all reports share: which run made a page, and how a page appears."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """The run that made the page."""

    id: str
    made_at: int
    """Milliseconds since the epoch."""


def write_atomically(html: str, file: Path) -> None:
    """A reader sees the old page or the new one, never half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(html, encoding="utf-8")
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
