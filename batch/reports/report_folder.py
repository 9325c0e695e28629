"""The folder of published days. A day is one file, with its summary inside the page, so that the two never differ."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from batch.page import write_atomically

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
        write_atomically(html, file)
        return file

    def put_index(self, html: str) -> Path:
        file = self.folder / INDEX
        write_atomically(html, file)
        return file


def _summary(file: Path) -> Mapping[str, Any]:
    found = _SUMMARY.search(file.read_text(encoding="utf-8"))
    if not found:
        raise UnreadablePage(f"{file} is no daily report: move it away, then run again")
    summary: Mapping[str, Any] = json.loads(found[1])
    return summary
