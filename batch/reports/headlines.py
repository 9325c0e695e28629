"""The sentence above each chart of a day's page. Pure: numbers to English."""

from collections.abc import Mapping, Sequence

from batch.reports.build_day import Abandoned, Crowded, Day, DayStats, Family, TitleRow, WeekComparison
from batch.reports.formatting import (
    UNKNOWN,
    change,
    clock,
    count,
    format_value,
    hours,
    moment,
    number,
    percent,
    weekday,
)
from batch.reports.metrics import QUALITY, Metric
from batch.reports.quality import Group

OUTLIER_RATIO = 1.25
"""A group is an outlier if its metric is at least this many times the average."""


def headline(day: Day) -> str:
    """The day in one sentence."""
    now, before = day.now.metrics, day.before and day.before.metrics
    watched = f"{count(now['starts'] or 0, 'start')} and {hours(now['hours'] or 0)} hours watched"
    if not day.over:
        return f"So far {watched} by {count(day.now.members, 'member')}; the day is not over in the lake."
    if not day.before or not before or not before["hours"]:
        return f"{watched} by {count(day.now.members, 'member')}; nothing from the week before to compare with."
    compared = change(now["hours"] or 0, before["hours"])
    than = "as" if compared == "as much" else "than"
    return f"{watched}: {compared} {than} on the {weekday(day.before.day)} before."


def viewers(now: DayStats, before: DayStats | None) -> str:
    if now.peak is None:
        return "Nobody watched."
    most = f"At most {count(now.peak.viewers, 'viewer')} at once, at {clock(now.peak.minute)} UTC"
    if before is None or before.peak is None:
        return f"{most}."
    more = now.peak.viewers - before.peak.viewers
    compared = f"{abs(more)} {'more' if more > 0 else 'fewer'} than" if more else "as many as"
    return f"{most}: {compared} a week before."


def busiest_hour(day: DayStats) -> str:
    most = max(range(24), key=lambda hour: day.hours[hour].hours)
    hour = day.hours[most]
    began = f"views that began from {clock(60 * most)} to {clock(60 * most + 60)} UTC"
    return f"The most was watched in {began}: {hours(hour.hours)} hours in {count(hour.starts, 'start')}."


def weeks(weeks: WeekComparison) -> str:
    if not weeks.days_before:
        return "There is no viewing from the week before yet."
    parts = [change(weeks.this["hours"] or 0, weeks.before["hours"]) + " watched"] if weeks.before["hours"] else []
    worst = max((metric for metric in QUALITY if _grown(weeks, metric)), key=lambda m: _grown(weeks, m), default=None)
    if worst and _grown(weeks, worst) >= OUTLIER_RATIO:
        was, now = (format_value(week[worst.name], worst.unit) for week in (weeks.before, weeks.this))
        parts.append(f"{worst.label.lower()} got worse, from {was} to {now}")
    else:
        parts.append("no quality metric got worse by a quarter")
    return f"{'; '.join(parts).capitalize()}."


def _grown(weeks: WeekComparison, metric: Metric) -> float:
    now, before = weeks.this[metric.name], weeks.before[metric.name]
    return now / before if now and before else 0.0


def outlier(metric: Metric, groups: Sequence[Group], overall: Group, what: str) -> str:
    """Names the group with the worst value of a metric, if that is far from the average."""
    average = overall.metrics[metric.name]
    judged = [group for group in groups if not group.has_few_views and group.metrics[metric.name] is not None]
    if not average or not judged:
        return f"Too few views to compare one {what} with another."
    worst = max(judged, key=lambda group: group.metrics[metric.name] or 0)
    value = worst.metrics[metric.name] or 0
    if value < OUTLIER_RATIO * average:
        return f"No {what} is far from the average of {format_value(average, metric.unit)}."
    return f"{worst.label} is worst: {format_value(value, metric.unit)}, average {format_value(average, metric.unit)}."


def funnel(steps: Mapping[str, int]) -> str:
    opened = steps["opened"]
    if not opened:
        return "Nobody opened a title after browsing."
    started, finished = (f"{100 * steps[step] / opened:.0f}" for step in ("started", "finished"))
    return f"Of 100 titles that members opened, {started} started and {finished} were played to their end."


def top(titles: Sequence[TitleRow]) -> str:
    first = titles[0]
    return f"{first.label} was watched most: {hours(first.hours)} hours in {count(first.starts, 'start')}."


def abandoned(rows: Sequence[Abandoned]) -> str:
    if not rows:
        return "No title that was started five times or more was left in its first quarter."
    first = rows[0]
    over = sum(first.left) + first.finishes
    return f"{first.label} loses most: {first.left[0]} of {count(over, 'view')} ended in its first quarter."


def loss(groups: Sequence[Group], overall: Group) -> str:
    rate = overall.metrics["loss_rate"]
    if not rate:
        return "Every event that players sent has arrived."
    judged = [group for group in groups if not group.has_few_views and group.metrics["loss_rate"]]
    worst = max(judged, key=lambda group: group.metrics["loss_rate"] or 0, default=None)
    all_of_it = f"{number(1 / rate)} events, one is missing" if rate < 0.5 else "2 events, one or more are missing"
    named = f"; most often from {worst.label}, {percent(worst.metrics['loss_rate'])}" if worst else ""
    return f"Of {all_of_it}{named}."


def crowded(accounts: Sequence[Crowded] | None) -> str:
    if accounts is None:
        return "No plan is known, so no account is judged."
    if not accounts:
        return "No account was watched on more streams at once than its plan allows."
    first, whose = accounts[0], "its plan allows" if len(accounts) == 1 else "their plan allows"
    allowed = f"{first.allowed} {'is' if first.allowed == 1 else 'are'} allowed"
    longest = f"{count(first.most, 'stream')}, where {allowed}, for {count(first.minutes, 'minute')}"
    more = f"{count(len(accounts), 'account')} watched on more streams at once than {whose}"
    return f"{more}; longest {first.account_id}: {longest}."


def lake(families: Sequence[Family], data_until: int | None) -> str:
    until = UNKNOWN if data_until is None else moment(data_until)
    rows = sum(family.rows[-1] for family in families)
    return f"This day brought {count(rows, 'row')}; playback is there until {until}."
