"""The folder of published days. A day is one file, with its summary inside the page, so that the two never differ."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

INDEX = "index.html"
_SUMMARY = re.compile(r'<script type="application/json" id="summary">(.*?)</script>', re.DOTALL)


class UnreadablePage(Exception):
    """A file is named like a day and is no daily report; the message names it."""


@dataclass(frozen=True, slots=True)
class ReportFolder:
    folder: Path

    def days(self) -> dict[date, Mapping[str, Any]]:
        """Day -> the summary in its page, in order. Raises UnreadablePage."""
        files = {date.fromisoformat(file.stem): file for file in self.folder.glob("????-??-??.html")}
        return {day: _summary(files[day]) for day in sorted(files)}

    def put(self, day: date, html: str) -> Path:
        """Write or replace the day's page."""
        file = self.folder / f"{day}.html"
        _write_atomically(html, file)
        return file

    def put_index(self, html: str) -> Path:
        file = self.folder / INDEX
        _write_atomically(html, file)
        return file


def _summary(file: Path) -> Mapping[str, Any]:
    found = _SUMMARY.search(file.read_text(encoding="utf-8"))
    if not found:
        raise UnreadablePage(f"{file} is no daily report: move it away, then run again")
    summary: Mapping[str, Any] = json.loads(found[1])
    return summary


def _write_atomically(html: str, file: Path) -> None:
    """Replace the file in one step: a reader gets the old page or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(html, encoding="utf-8")
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
