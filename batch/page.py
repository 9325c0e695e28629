"""What all report pages share: the run that made a page, and how a page is written."""

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
    """Replace the file in one step: a reader gets the old page or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(html, encoding="utf-8")
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
