from datetime import UTC, datetime, timedelta

from batch.reports.build_day import Abandoned, Family, Hour, Peak, TitleRow, build_day
from tests.unit.batch.reports.few_aggregates import DAY, HOUR_MS, funnel, report_inputs, view, viewers, volumes

WEEK_BEFORE = DAY - timedelta(days=7)


def millis(days_after: float) -> int:
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    return int((midnight + timedelta(days=days_after)).timestamp() * 1000)


def test_a_day_is_compared_with_the_same_weekday_a_week_before() -> None:
    day = build_day(report_inputs(view(), view(), view(WEEK_BEFORE), view(DAY - timedelta(days=1))), DAY)

    assert day.now.metrics["starts"] == 2
    assert day.before is not None
    assert (day.before.day, day.before.metrics["starts"]) == (WEEK_BEFORE, 1)


def test_nothing_is_compared_with_a_week_before_without_viewing() -> None:
    assert build_day(report_inputs(view()), DAY).before is None


def test_an_empty_day_is_a_page_too() -> None:
    day = build_day(report_inputs(), DAY)

    assert day.empty
    assert (day.now.peak, day.titles, day.abandoned, day.quality["device"]) == (None, [], [], [])


def test_a_day_is_over_once_the_lake_holds_what_came_after_it() -> None:
    assert not build_day(report_inputs(view(), newest={"playback": millis(0.99)}), DAY).over
    assert build_day(report_inputs(view(), newest={"playback": millis(1)}), DAY).over
    assert not build_day(report_inputs(view(), newest={"playback": None}), DAY).over


def test_the_peak_is_the_first_minute_in_which_the_most_watched() -> None:
    seen = viewers([(DAY, 1200, 3), (DAY, 1203, 5), (DAY, 1210, 5), (WEEK_BEFORE, 0, 9)])

    side = build_day(report_inputs(view(), viewers=seen), DAY).now

    assert side.peak == Peak(viewers=5, minute=1203)
    assert {slot: most for slot, most in enumerate(side.viewers) if most} == {240: 5, 242: 5}


def test_hours_that_nobody_began_in_are_zeros() -> None:
    day = build_day(report_inputs(view(), view(keys={"hour": 9}, failures=1, watched_ms=0)), DAY)

    busy = {hour: values for hour, values in enumerate(day.now.hours) if values != Hour(0.0, 0, 0)}
    assert busy == {9: Hour(0.0, 1, 1), 21: Hour(1.0, 1, 0)}


def test_weeks_count_their_days_with_views() -> None:
    days = (0, 1, 6, 7, 13)
    weeks = build_day(report_inputs(*(view(DAY - timedelta(days=n)) for n in days)), DAY).weeks

    assert (weeks.days, weeks.days_before) == (3, 2)
    assert (weeks.this["starts"], weeks.before["starts"]) == (3, 2)


def test_titles_go_by_their_names_and_unknown_ones_are_counted() -> None:
    other = view(keys={"title_id": "ml-9"}, watched_ms=HOUR_MS // 2)
    day = build_day(report_inputs(view(), other, other, titles={"ml-50": ("Star Wars", 1977)}), DAY)

    assert day.titles == [TitleRow("Star Wars (1977)", 1.0, 1), TitleRow("ml-9", 1.0, 2)]
    assert (day.unknown_titles, day.unknown_views) == (1, 2)


def test_the_most_abandoned_titles_are_those_left_in_their_first_quarter() -> None:
    left = [view(DAY - timedelta(days=n)) for n in range(3)]
    finished = [view(left_1=0, finishes=1)] * 2
    loved = [view(keys={"title_id": "loved"}, left_1=0, finishes=1)] * 5
    rare = [view(keys={"title_id": "rare"})] * 4

    assert build_day(report_inputs(*left, *finished, *loved, *rare), DAY).abandoned == [
        Abandoned("ml-50", 5, [3, 0, 0, 0], 2)
    ]


def test_quality_has_groups_and_days() -> None:
    yesterday = DAY - timedelta(days=1)
    day = build_day(report_inputs(view(yesterday, failures=1), view(), view(keys={"device_type": "set_top_box"})), DAY)

    (tv, box) = day.quality["device"]
    assert (tv.label, box.label) == ("TV", "Set top box")
    assert [cell and cell["failure_rate"] for cell in tv.cells[-3:]] == [None, 1.0, 0.0]
    assert tv.metrics["failure_rate"] == 0.5
    assert tv.has_few_views


def test_versions_are_grouped_by_device_the_newest_first() -> None:
    apps = (("tv", "8.9.0"), ("phone", "1.0"), ("tv", "8.12.0"), ("tv", "8.9.0"))
    views = [view(keys={"device_type": device, "app_version": version}) for device, version in apps]

    labels = [group.label for group in build_day(report_inputs(*views), DAY).quality["version"]]

    assert labels == ["TV 8.12.0", "TV 8.9.0", "Phone 1.0"]


def test_members_are_those_of_the_funnel() -> None:
    steps = funnel([(DAY, 20, 4, 3, 3, 1, 2, 9, 4, 3, 3, 1, 5)])

    side = build_day(report_inputs(view(), funnel=steps), DAY).now

    assert side.members == 5
    assert [side.funnel[step] for step in ("shown", "opened", "finished", "unbrowsed")] == [20, 4, 1, 2]


def test_each_family_has_its_rows_and_its_newest_event() -> None:
    sizes = volumes([("ui", DAY, 30, 900), ("ui", DAY - timedelta(days=1), 20, 600), ("playback", DAY, 70, 2_100)])
    newest = {"ui": millis(0.5), "playback": millis(0.6), "error": None}

    families = build_day(report_inputs(view(), volumes=sizes, newest=newest), DAY).lake

    assert families == [
        Family("playback", [0] * 13 + [70], 2_100, millis(0.6)),
        Family("ui", [0] * 12 + [20, 30], 900, millis(0.5)),
        Family("error", [0] * 14, 0, None),
    ]
