"""An evaluation as it is shown: per data set the boards, and which parameters were chosen on which days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from batch.recommend.evaluation import Judged, Window
from batch.recommend.interactions import Interactions
from batch.recommend.scoreboard import Row, rows


@dataclass(frozen=True, slots=True)
class Board:
    """One table: who was judged, and how they did."""

    title: str
    profiles: int
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for one window. Days are UTC; the last day of tuning is that of the first test."""

    window: str
    tuned_from: date
    tested_from: date
    tested_until: date
    chosen: dict[str, str]
    """Parameters by competitor."""


@dataclass(frozen=True, slots=True)
class Section:
    """One data set."""

    name: str
    views: int
    profiles: int
    titles: int
    boards: list[Board]
    choices: list[Choice]

    @property
    def best(self) -> Row:
        """The most accurate on the first board."""
        return max(self.boards[0].rows, key=lambda row: row.ndcg100.mean)


@dataclass(frozen=True, slots=True)
class Report:
    sections: list[Section]
    seconds: float
    """How long the evaluation took."""


def section(name: str, table: Interactions, windows: Sequence[Window]) -> Section:
    """``windows``: the cut at 80 % first, then those that roll."""
    at_cut, *rolled = windows
    boards = (
        _board(f"Cut at {at_cut.plan.name}", [at_cut.known]),
        _board("Rolling cuts: " + ", ".join(window.plan.name for window in rolled), [each.known for each in rolled]),
        _board(f"Profiles without a history, {at_cut.plan.name}", [at_cut.cold]),
    )
    return Section(
        name=name,
        views=len(table),
        profiles=len(table.profiles),
        titles=len(table.titles),
        boards=[board for board in boards if board.rows],
        choices=[_choice(window) for window in windows],
    )


def _board(title: str, windows: Sequence[Sequence[Judged]]) -> Board:
    judged = [window for window in windows if window]  # nobody may have come without a history
    return Board(title, sum(len(window[0].profiles) for window in judged), rows(judged))


def _choice(window: Window) -> Choice:
    plan = window.plan
    return Choice(
        window=plan.name,
        tuned_from=_day(plan.tune_from),
        tested_from=_day(plan.test_from),
        tested_until=_day(plan.test_until),
        chosen={judged.competitor: judged.chosen for judged in window.known},
    )


def _day(millis: int) -> date:
    return datetime.fromtimestamp(millis / 1000, UTC).date()
