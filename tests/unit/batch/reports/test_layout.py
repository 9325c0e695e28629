import pytest

from batch.reports import formatting
from batch.reports.layout import judged, line, scale, short, tint


@pytest.mark.parametrize(
    ("most", "lines"),
    [(0, [0, 1]), (1, [0, 1]), (3, [0, 1, 2, 3]), (41, [0, 20, 40, 60]), (260, [0, 100, 200, 300]), (7, [0, 5, 10])],
)
def test_an_axis_has_few_round_lines_and_room_for_the_most(most: int, lines: list[int]) -> None:
    assert scale(most) == lines


def test_a_line_rises_with_its_values() -> None:
    assert line([0, 5, 10], 10) == "M0,100.0L1,50.0L2,0.0"


@pytest.mark.parametrize(
    ("value", "tinted"), [(1.0, 0.0), (3.0, 1.0), (9.0, 1.0), (1 / 3, -1.0), (0.0, -1.0), (3**0.5, 0.5)]
)
def test_a_tint_says_how_far_from_the_average(value: float, tinted: float) -> None:
    assert tint(value, 1.0) == pytest.approx(tinted)
    assert tint(value, None) == 0.0


def test_a_change_of_a_tenth_is_judged_by_what_is_better() -> None:
    assert judged("less", 1.2, 1.0) == "bad"
    assert judged("less", 0.8, 1.0) == "good"
    assert judged("more", 0.8, 1.0) == "bad"
    assert judged("more", 1.05, 1.0) == ""
    assert judged("more", None, 1.0) == judged("more", 1.0, 0.0) == ""


def test_a_cell_holds_four_characters() -> None:
    assert [short(value, "share") for value in (0, 0.0042, 0.1234, 1.0)] == ["0", "0.42", "12.3", "100"]
    assert [short(value, "seconds") for value in (1.234, 61.25, 120)] == ["1.23", "61.2", "120"]


def test_values_are_formatted_for_people() -> None:
    assert [formatting.percent(share) for share in (None, 0, 0.0042, 0.125, 1)] == [
        "–",
        "0 %",
        "0.42 %",
        "12.5 %",
        "100 %",
    ]
    assert [formatting.size(n) for n in (0, 812, 1_536, 831_488, 4_300_000)] == [
        "0 B",
        "812 B",
        "1.5 KiB",
        "812 KiB",
        "4.1 MiB",
    ]
    assert [formatting.change(n, 100) for n in (108, 97, 100.4)] == ["8 % more", "3 % less", "as much"]
    assert [formatting.count(n, "start") for n in (0, 1, 1_204)] == ["0 starts", "1 start", "1,204 starts"]
