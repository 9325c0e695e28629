from datetime import date

import pytest

from services.ops import formatting as reason_text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 s"),
        (59_400, "59 s"),
        (60_000, "1 min"),
        (3_599_000, "1 h 00 min"),
        (3_840_000, "1 h 04 min"),
        (104_940_000, "29 h 09 min"),
    ],
)
def test_durations(milliseconds: int, text: str) -> None:
    assert reason_text.duration(milliseconds) == text


def test_positions_are_cut_never_rounded_up() -> None:
    assert reason_text.position(249_999) == "4:09"
    assert reason_text.position(3_849_000) == "1:04:09"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(-5, "0 s ago"), (59_999, "59 s ago"), (60_000, "1 min ago"), (7_200_000, "2 h ago"), (172_800_000, "2 days ago")],
)
def test_ages(milliseconds: int, text: str) -> None:
    assert reason_text.ago(milliseconds) == text


def test_days_are_named_as_people_do() -> None:
    today = date(2026, 3, 2)
    assert reason_text.day_name(date(2026, 3, 2), today) == "Today"
    assert reason_text.day_name(date(2026, 3, 1), today) == "Yesterday"
    assert reason_text.day_name(date(2026, 2, 15), today) == "Sunday, 15 February"
    assert reason_text.day_name(date(2025, 12, 31), today) == "Wednesday, 31 December 2025"


def test_enums_read_as_words() -> None:
    assert [reason_text.words(name) for name in ("tv", "set_top_box", "out_of_range")] == [
        "TV",
        "set-top box",
        "out of range",
    ]
