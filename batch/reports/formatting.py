"""Formats values for people."""

from datetime import UTC, date, datetime

from batch.reports.metrics import Unit

UNKNOWN = "–"


def number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def count(value: float, noun: str) -> str:
    """``1 start``, ``1,204 starts``."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def percent(share: float | None) -> str:
    """``0.42 %``, ``12.5 %``, ``100 %``: at most three significant digits."""
    if share is None:
        return UNKNOWN
    return f"{100 * share:.{0 if abs(share) >= 0.995 or not share else 1 if abs(share) >= 0.1 else 2}f} %"


def seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f} s"


def hours(value: float) -> str:
    return number(value, 0 if value >= 100 else 1)


def format_value(value: float | None, unit: Unit) -> str:
    """A value with its unit."""
    if value is None:
        return UNKNOWN
    match unit:
        case "count":
            return number(value)
        case "hours":
            return f"{hours(value)} h"
        case "seconds":
            return seconds(value)
        case "an hour":
            return number(value, 2)
        case "share":
            return percent(value)


def clock(minute: int) -> str:
    """Minutes since midnight: ``20:05``."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def day_short(day: date) -> str:
    return f"{day:%-d %b}"


def day_long(day: date) -> str:
    return f"{day:%A %-d %B %Y}"


def weekday_short(day: date) -> str:
    return f"{day:%a}"


def weekday(day: date) -> str:
    return f"{day:%A}"


def moment(millis: int) -> str:
    return f"{datetime.fromtimestamp(millis / 1000, UTC):%-d %b %Y, %H:%M} UTC"


def size(number_of_bytes: float) -> str:
    """``812 KiB``, ``4.1 MiB``."""
    power = min(4, (int(number_of_bytes).bit_length() - 1) // 10) if number_of_bytes else 0
    value = number_of_bytes / 1024**power
    return f"{value:.{0 if value >= 10 or not power else 1}f} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def change(now: float, before: float) -> str:
    """``8 % more``, ``3 % less``, ``as much`` within half a percent. ``before`` is not 0."""
    by = now / before - 1
    if abs(by) < 0.005:
        return "as much"
    return f"{100 * abs(by):.0f} % {'more' if by > 0 else 'less'}"
