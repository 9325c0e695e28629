from datetime import date
from pathlib import Path

import pytest

from batch.reports.report_folder import ReportFolder, UnreadablePage

MONDAY, TUESDAY = date(2023, 11, 13), date(2023, 11, 14)


def page(starts: int) -> str:
    return f'<head><script type="application/json" id="summary">{{"starts": {starts}}}</script></head>'


def test_days_are_read_back_in_order_from_their_own_pages(tmp_path: Path) -> None:
    published = ReportFolder(tmp_path / "not" / "there")
    assert published.days() == {}

    published.put(TUESDAY, page(2))
    published.put(MONDAY, page(1))
    published.put_index("<p>index")

    assert list(published.days().items()) == [(MONDAY, {"starts": 1}), (TUESDAY, {"starts": 2})]


def test_a_day_made_again_is_replaced_and_nothing_is_left_over(tmp_path: Path) -> None:
    published = ReportFolder(tmp_path)
    published.put(MONDAY, page(1))
    published.put(MONDAY, page(5))

    assert published.days() == {MONDAY: {"starts": 5}}
    assert [file.name for file in tmp_path.iterdir()] == ["2023-11-13.html"]


def test_a_file_that_is_no_page_of_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "2023-11-13.html").write_text("<p>notes")
    with pytest.raises(UnreadablePage, match=r"2023-11-13\.html is no daily report: move it away"):
        ReportFolder(tmp_path).days()
