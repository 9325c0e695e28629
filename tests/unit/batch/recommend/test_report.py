from batch.recommend.evaluation import Competitor, evaluate
from batch.recommend.interactions import Interactions
from batch.recommend.popularity import Popularity
from batch.recommend.report import Section, section
from batch.recommend.scoreboard import BAR
from batch.recommend.temporal_split import rolling
from tests.unit.batch.recommend.tables import drawn, watched


def judged(table: Interactions) -> Section:
    bar = Competitor(BAR, (Popularity(days=14),), serves_cold=True)
    return section("drawn", table, [evaluate(table, plan, [bar], lambda _: None) for plan in rolling(table)])


def test_every_window_says_what_was_chosen_and_on_which_days() -> None:
    choices = judged(drawn(1)).choices
    assert [choice.window for choice in choices] == ["80% to 100%", "70% to 80%", "80% to 90%", "90% to 100%"]
    for choice in choices:
        assert choice.tuned_from < choice.tested_from < choice.tested_until
        assert choice.chosen == {BAR: "Popularity(days=14, half_life=inf, by_country=False)"}


def test_a_service_without_newcomers_has_no_board_of_them() -> None:
    table = watched(*[(f"p{n % 5}", f"t{n}", float(n)) for n in range(100)])
    assert [board.title for board in judged(table).boards] == [
        "Cut at 80% to 100%",
        "Rolling cuts: 70% to 80%, 80% to 90%, 90% to 100%",
    ]


def test_newcomers_have_a_board_of_their_own() -> None:
    old = [(f"p{n % 5}", f"t{n}", float(n)) for n in range(100)]
    table = watched(*old, ("new", "t1", 95.0))
    assert judged(table).boards[-1].title == "Profiles without a history, 80% to 100%"
    assert judged(table).boards[-1].profiles == 1
