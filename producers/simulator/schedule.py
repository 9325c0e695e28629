"""When people watch, by local hour and weekday.

Shares rise from the afternoon to a peak at 20-22 h and fall to almost nothing at 4 h. Friday to Sunday have more
visits, Saturday and Sunday also more of them by day.
"""

import math
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

_WORKDAY = (3, 1.5, 0.8, 0.4, 0.3, 0.4, 1, 1.5, 1.5, 1.3, 1.3, 1.5, 2, 2, 2, 2.5, 3.5, 5, 7.5, 11, 14, 14, 10, 6)
_WEEKEND = (4, 2.5, 1.2, 0.6, 0.4, 0.4, 0.8, 1.5, 2.5, 3.5, 4, 4, 4, 4.5, 5, 5, 5.5, 6, 8, 10.5, 12.5, 12.5, 9.5, 6.5)
_BY_WEEKDAY = (0.9, 0.85, 0.88, 0.92, 1.1, 1.25, 1.15)
"""Monday to Sunday; the mean is about 1."""


def starts(zone: ZoneInfo, day: date, mean: float, rng: Random) -> list[int]:
    """Sorted times in ms (UTC) at which a member with ``mean`` visits a day starts one on that local day."""
    hours = _WEEKEND if day.weekday() >= 5 else _WORKDAY
    count = _poisson(mean * _BY_WEEKDAY[day.weekday()], rng)
    if not count:
        return []
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
    found = rng.choices(range(24), hours, k=count)
    return sorted(round((midnight + (hour + rng.random()) * 3600) * 1000) for hour in found)


def days(since: int, until: int, zone: ZoneInfo) -> list[date]:
    """Local days that the span (ms, UTC) touches."""
    first = datetime.fromtimestamp(since / 1000, zone).date()
    last = datetime.fromtimestamp(until / 1000, zone).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _poisson(mean: float, rng: Random) -> int:
    left, count = rng.random(), 0
    limit = math.exp(-mean)
    while left > limit:
        left *= rng.random()
        count += 1
    return count
