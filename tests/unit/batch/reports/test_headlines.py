"""Every sentence of a page, for days of which the numbers are known."""

from datetime import timedelta

from batch.reports import headlines
from batch.reports.build_day import Abandoned, Day, TitleRow, build_day
from batch.reports.metrics import QUALITY
from tests.unit.batch.reports.few_aggregates import DAY, HOUR_MS, funnel, report_inputs, view, viewers, volumes

WEEK_BEFORE = DAY - timedelta(days=7)
FAILURES = next(metric for metric in QUALITY if metric.name == "failure_rate")
LATER = {"playback": 1_700_100_000_000}
"""16 November 2023, 02:00 UTC."""


def whole_day(*views: dict[str, int], **changes: object) -> Day:
    return build_day(report_inputs(*views, newest=LATER, **changes), DAY)


def test_a_day_in_one_sentence() -> None:
    day = whole_day(view(), view(), view(WEEK_BEFORE, watched_ms=HOUR_MS * 4))
    assert headlines.headline(day) == "2 starts and 2.0 hours watched: 50 % less than on the Tuesday before."


def test_a_day_like_the_one_before() -> None:
    day = whole_day(view(), view(WEEK_BEFORE))
    assert headlines.headline(day) == "1 start and 1.0 hours watched: as much as on the Tuesday before."


def test_a_day_that_is_not_over_is_not_compared() -> None:
    day = build_day(report_inputs(view(), view(WEEK_BEFORE)), DAY)
    assert headlines.headline(day).endswith("the day is not over in the lake.")


def test_the_first_week_has_nothing_to_compare_with() -> None:
    assert headlines.headline(whole_day(view())).endswith("nothing from the week before to compare with.")
    assert headlines.weeks(whole_day(view()).weeks) == "There is no viewing from the week before yet."


def test_viewers() -> None:
    one, two = viewers([(DAY, 1217, 41)]), viewers([(DAY, 1217, 41), (WEEK_BEFORE, 60, 46)])
    day, compared = whole_day(view(), viewers=one), whole_day(view(), view(WEEK_BEFORE), viewers=two)
    assert headlines.viewers(day.now, day.before) == "At most 41 viewers at once, at 20:17 UTC."
    assert (
        headlines.viewers(compared.now, compared.before)
        == "At most 41 viewers at once, at 20:17 UTC: 5 fewer than a week before."
    )


def test_the_busiest_hour() -> None:
    sentence = headlines.busiest_hour(whole_day(view(), view(), view(keys={"hour": 23})).now)
    assert sentence == "The most was watched in views that began from 21:00 to 22:00 UTC: 2.0 hours in 2 starts."


def test_week_over_week_names_what_got_worse() -> None:
    before = [view(WEEK_BEFORE), view(WEEK_BEFORE, failures=1), view(WEEK_BEFORE), view(WEEK_BEFORE)]
    worse, alike = whole_day(*before, view(), view(failures=1)), whole_day(*before, *[view()] * 4)
    assert headlines.weeks(worse.weeks) == "50 % less watched; failures got worse, from 25.0 % to 50.0 %."
    assert headlines.weeks(alike.weeks) == "As much watched; no quality metric got worse by a quarter."


def test_a_group_is_an_outlier_only_with_enough_views() -> None:
    good = [view()] * 60
    bad = [view(keys={"device_type": "phone"}, failures=1)] * 30
    day, thin = whole_day(*good, *bad), whole_day(*good, *bad[1:])
    sentence = headlines.outlier(FAILURES, day.quality["device"], day.overall, "device")
    assert sentence == "Phone is worst: 100 %, average 33.3 %."
    sentence = headlines.outlier(FAILURES, thin.quality["device"], thin.overall, "device")
    assert sentence == "No device is far from the average of 32.6 %."


def test_too_few_views_are_not_compared() -> None:
    day = whole_day(view(failures=1))
    sentence = headlines.outlier(FAILURES, day.quality["device"], day.overall, "device")
    assert sentence == "Too few views to compare one device with another."


def test_the_funnel() -> None:
    steps = whole_day(view(), funnel=funnel([(DAY, 500, 50, 49, 48, 20, 2, 9, 4, 3, 3, 1, 5)])).now.funnel
    sentence = headlines.funnel(steps)
    assert sentence == "Of 100 titles that members opened, 96 started and 40 were played to their end."
    assert headlines.funnel(whole_day(view()).now.funnel) == "Nobody opened a title after browsing."


def test_titles() -> None:
    assert headlines.top([TitleRow("Fargo", 2.25, 1)]) == "Fargo was watched most: 2.2 hours in 1 start."
    sentence = headlines.abandoned([Abandoned("Fargo", 14, [8, 1, 0, 2], 3)])
    assert sentence == "Fargo loses most: 8 of 14 views ended in its first quarter."
    assert headlines.abandoned([]).startswith("No title")


def test_client_loss() -> None:
    lossy = [view(keys={"device_type": "phone"}, events=8)] * 30
    day, none = whole_day(*[view()] * 30, *lossy), whole_day(view())
    sentence = headlines.loss(day.quality["version"], day.overall)
    assert sentence == "Of 10 events, one is missing; most often from Phone 1.0.0, 20.0 %."
    assert headlines.loss(none.quality["version"], none.overall) == "Every event that players sent has arrived."


def test_the_lake() -> None:
    day = whole_day(view(), volumes=volumes([("playback", DAY, 1_204, 1)]))
    sentence = headlines.lake(day.lake, day.data_until)
    assert sentence == "This day brought 1,204 rows; playback is there until 16 Nov 2023, 02:00 UTC."
