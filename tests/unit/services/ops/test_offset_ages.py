from hypothesis import given
from hypothesis import strategies as st

from services.ops.offset_ages import MAX_OBSERVATIONS, OffsetAges

AT = ("playhead.ui", 0)


def test_a_record_is_as_old_as_the_first_sight_of_a_log_that_holds_it() -> None:
    ages = OffsetAges()
    for at, end in ((1_000, 10), (3_000, 10), (5_000, 14)):
        ages.observe(at, {AT: end})
    assert [ages.age(AT, offset, 9_000) for offset in (0, 9, 10, 13, 14)] == [8_000, 8_000, 4_000, 4_000, 0]


def test_what_nobody_asks_for_any_more_is_forgotten_but_growth_is_still_noticed() -> None:
    ages = OffsetAges()
    ages.observe(1_000, {AT: 10})
    ages.forget(AT, 10)
    ages.observe(2_000, {AT: 10})
    assert ages.age(AT, 10, 3_000) == 0
    ages.observe(4_000, {AT: 11})
    assert ages.age(AT, 10, 5_000) == 1_000


def test_a_recreated_topic_begins_anew() -> None:
    ages = OffsetAges()
    ages.observe(1_000, {AT: 100})
    ages.observe(2_000, {AT: 3})
    assert ages.age(AT, 0, 5_000) == 3_000


def test_a_partition_never_seen_has_no_age() -> None:
    ages = OffsetAges()
    ages.forget(AT, 5)
    assert ages.age(AT, 0, 5_000) == 0


@given(st.integers(MAX_OBSERVATIONS, 3 * MAX_OBSERVATIONS))
def test_a_log_watched_for_long_costs_no_more_and_its_oldest_record_keeps_its_age(growths: int) -> None:
    ages = OffsetAges()
    for step in range(growths):
        ages.observe(step * 1_000, {AT: step + 1})
    assert len(ages._observations[AT]) <= MAX_OBSERVATIONS
    assert ages.age(AT, 0, growths * 1_000) == growths * 1_000
    exact = 1_000
    assert 0 < ages.age(AT, growths - 1, growths * 1_000) <= exact
