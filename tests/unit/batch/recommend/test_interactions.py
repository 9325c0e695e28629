import numpy as np

from batch.recommend.interactions import DAY_MS
from tests.unit.batch.recommend.tables import drawn, watched


def test_rows_are_in_order_of_time_whatever_order_they_came_in() -> None:
    table = watched(("b", "y", 2), ("a", "x", 1), ("a", "y", 1))
    assert table.profiles == ("a", "b")
    assert table.titles == ("x", "y")
    assert [(table.profiles[p], table.titles[t]) for p, t in zip(table.profile, table.title, strict=True)] == [
        ("a", "x"),
        ("a", "y"),
        ("b", "y"),
    ]


def test_a_slice_keeps_numbers_and_forgets_what_is_outside() -> None:
    table = watched(("a", "x", 1), ("b", "y", 2), ("c", "z", 3))
    middle = table.between(2 * DAY_MS, 3 * DAY_MS)
    assert middle.titles == ("x", "y", "z")
    assert middle.watched.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert len(table.before(2 * DAY_MS)) == 1


def test_a_table_that_was_looked_at_gives_fresh_slices() -> None:
    table = watched(("a", "x", 1), ("b", "y", 2))
    assert table.views.tolist() == [1, 1]
    assert table.before(2 * DAY_MS).views.tolist() == [1, 0]


def test_a_profile_lives_where_it_watched_last() -> None:
    table = drawn(1)
    assert {table.countries[home] for home in table.home} == {"DE", "NL"}
    assert watched(("a", "x", 1)).home.tolist() == [-1]


def test_shares_of_the_table_are_times() -> None:
    table = watched(*[("a", f"t{day}", float(day)) for day in range(11)])
    assert np.array([table.at_share(0), table.at_share(0.8), table.at_share(1)]).tolist() == [
        0,
        8 * DAY_MS,
        10 * DAY_MS,
    ]
