from hypothesis import given
from hypothesis import strategies as st

from domain.cmcd.numbers import WINDOW, Numbers


def after(*numbers: int) -> tuple[Numbers, list[int]]:
    """With what each added to the missing ones."""
    found = Numbers()
    return found, [found.add(number) for number in numbers]


def test_a_number_that_has_come_is_a_repeat() -> None:
    numbers, _ = after(0, 1, 3)
    assert [number in numbers for number in (0, 1, 2, 3, 4)] == [True, True, False, True, False]


def test_a_gap_is_counted_at_once_and_each_late_number_takes_one_off() -> None:
    assert after(0, 3, 1, 2)[1] == [0, 2, -1, -1]


def test_a_number_that_comes_again_changes_nothing() -> None:
    assert after(0, 2, 2, 0)[1] == [0, 1, 0, 0]


def test_a_number_that_is_forgotten_is_missing_until_it_comes_again() -> None:
    numbers, _ = after(0, 1, 2)
    assert (numbers.forget(1), numbers.forget(1), 1 in numbers) == (1, 0, False)
    assert (numbers.add(1), 1 in numbers) == (-1, True)


def test_a_number_far_behind_is_not_waited_for() -> None:
    numbers, missing = after(0, 2, 3 + WINDOW)
    assert 1 in numbers
    assert missing == [0, 1, WINDOW]


def test_a_play_that_began_elsewhere_misses_nothing() -> None:
    assert after(5000, 5001)[1] == [0, 0]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=200))
def test_every_number_up_to_the_highest_came_or_is_missing(given: list[int]) -> None:
    numbers = Numbers()
    came = missing = 0
    began = 0 if given[0] < WINDOW else given[0]
    for number in given:
        if number not in numbers:
            missing += numbers.add(number)
            came += 1
    assert came + missing == numbers.highest + 1 - began
