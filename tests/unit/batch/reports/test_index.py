from datetime import date
from typing import Any

from batch.reports.index import index_context
from batch.reports.metrics import metrics_of
from tests.unit.batch.reports.few_aggregates import NONE

MONDAY, TUESDAY, SATURDAY = date(2023, 11, 13), date(2023, 11, 14), date(2023, 11, 18)


def summary(hours: float, **changes: Any) -> dict[str, Any]:
    return metrics_of(NONE) | {"hours": hours, "over": True, "peak": 7, "members": 3} | changes


def test_days_that_are_not_published_are_shown_as_missing() -> None:
    index = index_context({MONDAY: summary(1), TUESDAY: summary(2), SATURDAY: summary(3)})

    assert [row.get("day") for row in index["rows"]] == [SATURDAY, None, TUESDAY, MONDAY]
    gap = index["rows"][1]
    assert (gap["first"], gap["last"]) == (date(2023, 11, 15), date(2023, 11, 17))
    assert [shown["summary"] is None for shown in index["shown"]] == [False, False, True, True, True, False]


def test_the_day_with_the_most_viewing_is_named_among_whole_days() -> None:
    index = index_context({MONDAY: summary(5), TUESDAY: summary(9, over=False)})
    assert index["headline"] == "The most was watched on Monday 13 November 2023: 5.0 hours, with at most 7 at once."


def test_before_the_first_day_the_index_names_the_job() -> None:
    assert "`playhead job dashboards`" in index_context({})["headline"]


def test_medians_leave_days_without_a_figure_out() -> None:
    index = index_context({MONDAY: summary(1, startup=1.5), TUESDAY: summary(0), SATURDAY: summary(1, startup=2.5)})
    assert index["medians"]["startup"] == 2.0
