from datetime import timedelta

import polars as pl

from batch.reports import headlines
from batch.reports.build_day import Crowded, build_day
from batch.reports.page import Run, render_day
from tests.unit.batch.reports.few_aggregates import DAY, report_inputs, view

SCHEMA = {"day": pl.Date, "account_id": pl.String, "allowed": pl.Int32, "most": pl.Int64, "minutes": pl.Int64}
ROWS = [(DAY, "a", 2, 3, 4), (DAY, "b", 1, 4, 90), (DAY - timedelta(days=1), "c", 1, 2, 5)]
CROWDED = pl.DataFrame(ROWS, SCHEMA, orient="row")
NOBODY = "No account was watched on more streams at once than its plan allows."


def test_a_day_has_its_crowded_accounts_the_longest_first() -> None:
    day = build_day(report_inputs(view(), crowded=CROWDED), DAY)
    assert day.crowded == [Crowded("b", 1, 4, 90), Crowded("a", 2, 3, 4)]
    assert headlines.crowded(day.crowded) == (
        "2 accounts watched on more streams at once than their plan allows; longest b: 4 streams, where 1 is allowed, "
        "for 90 minutes."
    )
    page = render_day(day, Run(id="1", made_at=0), [DAY])
    assert "4 streams for 90 minutes, plan of 1" in page


def test_a_day_on_which_every_account_kept_to_its_plan_says_so() -> None:
    day = build_day(report_inputs(view(), crowded=CROWDED.clear()), DAY)
    assert headlines.crowded(day.crowded) == NOBODY
    assert NOBODY in render_day(day, Run(id="1", made_at=0), [DAY])


def test_without_plans_the_page_judges_nobody() -> None:
    day = build_day(report_inputs(view()), DAY)
    assert day.crowded is None
    assert "streams at once" not in render_day(day, Run(id="1", made_at=0), [DAY])
