"""What each chart of a day's page shows, as a sentence. Pure: numbers in, English out."""

from collections.abc import Mapping, Sequence

from batch.reports.build_day import Abandoned, Day, Side, TitleRow, Weeks
from batch.reports.formatting import UNKNOWN, change, clock, count, hours, moment, number, percent, said, weekday
from batch.reports.lake import Family
from batch.reports.metrics import QUALITY, Measure
from batch.reports.quality import Group

STANDS_OUT = 1.25
"""A group whose figure is so many times that of all is worth naming."""


def headline(day: Day) -> str:
    """The day in one sentence."""
    now, before = day.now.figures, day.before and day.before.figures
    watched = f"{count(now['starts'] or 0, 'start')} and {hours(now['hours'] or 0)} hours watched"
    if not day.over:
        return f"So far {watched} by {count(day.now.members, 'member')}; the day is not over in the lake."
    if not day.before or not before or not before["hours"]:
        return f"{watched} by {count(day.now.members, 'member')}; nothing from the week before to compare with."
    compared = change(now["hours"] or 0, before["hours"])
    than = "as" if compared == "as much" else "than"
    return f"{watched}: {compared} {than} on the {weekday(day.before.day)} before."


def viewers(now: Side, before: Side | None) -> str:
    if now.peak is None:
        return "Nobody was seen watching."
    most = f"At most {count(now.peak.viewers, 'viewer')} at once, at {clock(now.peak.minute)} UTC"
    if before is None or before.peak is None:
        return f"{most}."
    more = now.peak.viewers - before.peak.viewers
    compared = f"{abs(more)} {'more' if more > 0 else 'fewer'} than" if more else "as many as"
    return f"{most}: {compared} a week before."


def busiest_hour(side: Side) -> str:
    most = max(range(24), key=lambda hour: side.hours[hour].hours)
    hour = side.hours[most]
    began = f"views that began from {clock(60 * most)} to {clock(60 * most + 60)} UTC"
    return f"The most was watched in {began}: {hours(hour.hours)} hours in {count(hour.starts, 'start')}."


def weeks(weeks: Weeks) -> str:
    if not weeks.days_before:
        return "There is no viewing from the week before yet."
    parts = [change(weeks.this["hours"] or 0, weeks.before["hours"]) + " watched"] if weeks.before["hours"] else []
    worst = max(
        (measure for measure in QUALITY if _grown(weeks, measure)), key=lambda m: _grown(weeks, m), default=None
    )
    if worst and _grown(weeks, worst) >= STANDS_OUT:
        was, now = (said(side[worst.name], worst.unit) for side in (weeks.before, weeks.this))
        parts.append(f"{worst.label.lower()} got worse, from {was} to {now}")
    else:
        parts.append("no figure of quality got a quarter worse")
    return f"{'; '.join(parts).capitalize()}."


def _grown(weeks: Weeks, measure: Measure) -> float:
    now, before = weeks.this[measure.name], weeks.before[measure.name]
    return now / before if now and before else 0.0


def stands_out(measure: Measure, groups: Sequence[Group], overall: Group, what: str) -> str:
    """The group that is worst by a measure, if any is far from all."""
    average = overall.figures[measure.name]
    judged = [group for group in groups if not group.few and group.figures[measure.name] is not None]
    if not average or not judged:
        return f"Too few views to tell one {what} from another."
    worst = max(judged, key=lambda group: group.figures[measure.name] or 0)
    value = worst.figures[measure.name] or 0
    if value < STANDS_OUT * average:
        return f"No {what} stands out from the {said(average, measure.unit)} of all."
    return f"{worst.label} stands out: {said(value, measure.unit)}, against {said(average, measure.unit)} of all."


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
    rate = overall.figures["loss_rate"]
    if not rate:
        return "Every event that players numbered has arrived."
    judged = [group for group in groups if not group.few and group.figures["loss_rate"]]
    worst = max(judged, key=lambda group: group.figures["loss_rate"] or 0, default=None)
    all_of_it = f"{number(1 / rate)} events, one is missing" if rate < 0.5 else "2 events, one or more are missing"
    named = f"; most often from {worst.label}, {percent(worst.figures['loss_rate'])}" if worst else ""
    return f"Of {all_of_it}{named}."


def lake(families: Sequence[Family], data_until: int | None) -> str:
    until = UNKNOWN if data_until is None else moment(data_until)
    rows = sum(family.rows[-1] for family in families)
    return f"This day brought {count(rows, 'row')}; playback is there until {until}."
