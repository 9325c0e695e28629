"""Pages as HTML; how they look is tested in a browser."""

from batch.reports.build_day import build_day
from batch.reports.page import Run, render_day, render_index
from tests.unit.batch.reports.few_aggregates import DAY, report_inputs, view

RUN = Run(id="20231115T021400Z-4f2a1c", made_at=1_700_014_440_000)


def test_a_day_and_the_index_have_their_headlines() -> None:
    day = render_day(build_day(report_inputs(view()), DAY), RUN, [DAY])
    assert "So far 1 start and 1.0 hours watched by 0 members; the day is not over in the lake." in day
    index = render_index({DAY: {"over": True, "hours": 1.0, "peak": 3, "starts": 1, "members": 1} | METRICS}, RUN)
    assert "The most was watched on Tuesday 14 November 2023: 1.0 hours, with at most 3 at once." in index


METRICS = dict.fromkeys(("startup", "rebuffer_ratio", "rebuffer_frequency", "exit_rate", "failure_rate", "loss_rate"))
