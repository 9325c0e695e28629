import re
from io import StringIO

import pytest
from rich.console import Console

from batch.progress import Progress, summary


def test_a_step_is_one_line_with_its_counts_and_seconds() -> None:
    out = StringIO()
    with Progress("tables", Console(file=out)) as progress, progress.step("playback") as report:
        report("objects found", 12)
        report("repeats left out", 0)
        report("rows appended", 5_120)
    assert re.fullmatch(r"tables · playback: 12 objects found, 5,120 rows appended \(\d+\.\d s\)\n", out.getvalue())


def test_a_failed_step_has_no_line() -> None:
    out = StringIO()
    with pytest.raises(OSError, match="away"), Progress("tables", Console(file=out)) as progress, progress.step("ui"):
        raise OSError("away")
    assert out.getvalue() == ""


def test_a_step_without_news_shows_its_first_zero() -> None:
    assert summary({"objects found": 0, "rows appended": 0}) == "0 objects found"
    assert summary({}) == "done"
