"""An evaluation's Markdown: which tables there are, and what they show."""

from batch.recommend.interactions import Interactions
from batch.recommend.popularity import Popularity
from bench.evaluate.evaluation import Candidate, evaluate
from bench.evaluate.report import section
from bench.evaluate.scoreboard import BASELINE
from bench.evaluate.temporal_split import rolling
from tests.unit.batch.recommend.tables import watched

OLD = [(f"p{n % 5}", f"t{n}", float(n)) for n in range(100)]


def markdown(table: Interactions) -> list[str]:
    baseline = Candidate(BASELINE, (Popularity(days=14),), serves_cold=True)
    windows = [evaluate(table, split, [baseline], lambda _: None) for split in rolling(table)]
    return section("drawn", table, windows).splitlines()


def headings(table: Interactions) -> list[str]:
    return [line for line in markdown(table) if line.startswith("#")]


def test_every_window_shows_what_was_chosen_and_on_which_days() -> None:
    lines = markdown(watched(*OLD))
    assert [line for line in lines if line.startswith("Tested on")] == [
        "Tested on 80% to 100% (1970-03-21 to 1970-04-10), tuned on 1970-03-01 to 1970-03-21:",
        "Tested on 70% to 80% (1970-03-11 to 1970-03-21), tuned on 1970-03-01 to 1970-03-11:",
        "Tested on 80% to 90% (1970-03-21 to 1970-03-31), tuned on 1970-03-11 to 1970-03-21:",
        "Tested on 90% to 100% (1970-03-31 to 1970-04-10), tuned on 1970-03-21 to 1970-03-31:",
    ]
    chosen = "- popularity, 14 days: `Popularity(days=14, half_life=inf, by_country=False)`"
    assert lines.count(chosen) == 4


def test_a_model_is_a_row_with_its_ranges() -> None:
    [row] = [line for line in markdown(watched(*OLD)) if line.startswith("| popularity")][:1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:2] == ["popularity, 14 days", "0.000"]
    assert cells[3] == "baseline"


def test_without_new_profiles_there_is_no_table_of_them() -> None:
    assert headings(watched(*OLD)) == [
        "## drawn",
        "### Tested on 80% to 100%: 5 profiles",
        "### Tested on 70% to 80%, 80% to 90%, 90% to 100%: 15 profiles",
        "### Windows and chosen variants",
    ]


def test_new_profiles_have_their_own_table() -> None:
    table = watched(*OLD, ("new", "t1", 95.0))
    assert "### Profiles without a history, tested on 80% to 100%: 1 profiles" in headings(table)
