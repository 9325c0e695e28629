import polars as pl

from bench.evaluate.datasets import SESSION_COLUMNS, interactions

MINUTE = 60_000


def test_sessions_of_a_title_are_one_view() -> None:
    sessions = pl.DataFrame(
        [
            ("me", "x", 2_000, 40 * MINUTE, "DE"),
            ("me", "x", 1_000, 20 * MINUTE, "NL"),
            ("me", "y", 3_000, 500 * MINUTE, None),
        ],
        SESSION_COLUMNS,
        orient="row",
    )
    table = interactions(sessions, {"x": 120 * MINUTE})
    assert (table.profiles, table.titles, table.countries) == (("me",), ("x", "y"), ("DE", "NL"))
    assert table.time.tolist() == [1_000, 3_000]
    assert table.weight.tolist() == [0.5, 1.0]
    assert table.country.tolist() == [0, -1]


def test_a_view_weighs_what_was_watched_of_it_by_then() -> None:
    rows = [
        ("a", "x", 1_000, 5 * MINUTE, "NL"),
        ("a", "x", 2_000, 20 * MINUTE, None),
        ("a", "x", 3_000, 25 * MINUTE, "DE"),
    ]
    table = interactions(pl.DataFrame(rows, SESSION_COLUMNS, orient="row"), {"x": 100 * MINUTE})

    def known(moment: int) -> list[tuple[int, float, str]]:
        past = table.before(moment)
        countries = [past.countries[place] for place in past.country]
        return list(zip(past.time.tolist(), past.weight.tolist(), countries, strict=True))

    assert known(2_000) == [], "a look is no view"
    assert [known(3_000), known(3_001)] == [[(1_000, 0.25, "NL")], [(1_000, 0.5, "DE")]]
    assert table.before(3_001).before(3_000).weight.tolist() == table.before(3_000).weight.tolist()


def test_a_look_is_no_view_and_an_unknown_length_is_ninety_minutes() -> None:
    rows = [("a", "looked", 1, 8 * MINUTE, "NL"), ("a", "watched", 1, 9 * MINUTE, "NL")]
    table = interactions(pl.DataFrame(rows, SESSION_COLUMNS, orient="row"), {})
    assert table.titles == ("watched",)
