from hypothesis import given
from hypothesis import strategies as st

from domain.cmcd.numbers import WINDOW, Numbers


def after(*numbers: int) -> Numbers:
    found = Numbers()
    for number in numbers:
        found.add(number)
    return found


def test_a_number_that_has_come_is_a_repeat() -> None:
    numbers = after(0, 1, 3)
    assert [number in numbers for number in (0, 1, 2, 3, 4)] == [True, True, False, True, False]
    assert numbers.missing == 1


def test_a_late_number_closes_its_gap() -> None:
    numbers = after(0, 3, 1, 2)
    assert (numbers.missing, numbers.lost) == (0, 0)


def test_a_number_that_is_forgotten_may_come_again() -> None:
    numbers = after(0, 1, 2)
    numbers.forget(1)
    assert (1 in numbers, numbers.missing) == (False, 1)


def test_a_number_far_behind_is_lost() -> None:
    numbers = after(0, 2, 3 + WINDOW)
    assert 1 in numbers
    assert numbers.lost == 1


def test_a_play_that_began_elsewhere_has_lost_nothing() -> None:
    numbers = after(5000, 5001)
    assert (numbers.missing, numbers.lost) == (0, 0)


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=200))
def test_every_number_up_to_the_highest_came_is_missing_or_is_lost(given: list[int]) -> None:
    numbers = Numbers()
    came = 0
    began = 0 if given[0] < WINDOW else given[0]
    for number in given:
        if number not in numbers:
            numbers.add(number)
            came += 1
    assert came + numbers.missing + numbers.lost == numbers.highest + 1 - began
