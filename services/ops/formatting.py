"""Numbers as people read them; the filters of the page templates."""

from datetime import date, datetime, timedelta


def duration(milliseconds: int) -> str:
    """``1 h 04 min``, ``12 min``, ``8 s``."""
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def seconds(milliseconds: int) -> str:
    """``1.4 s``: for waits that people notice."""
    return f"{milliseconds / 1000:.1f} s"


def position(milliseconds: int) -> str:
    """A place in a title, as players show it: ``1:04:09``, ``4:09``."""
    hours, rest = divmod(milliseconds // 1000, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def percent(share: float) -> str:
    return f"{round(share * 100)} %"


def words(name: str) -> str:
    """``set_top_box`` -> ``set-top box``; the enums of the contract for people."""
    known = {"tv": "TV", "set_top_box": "set-top box", "exited_before_start": "left before the start"}
    return known.get(name, name.replace("_", " "))


def clock(at: datetime) -> str:
    return at.strftime("%H:%M")


def day_name(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")


def ago(milliseconds: int) -> str:
    """``12 s ago``, ``5 min ago``, ``3 h ago``, ``2 days ago``."""
    seconds_ago = max(0, milliseconds // 1000)
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "h")):
        if seconds_ago < limit:
            return f"{seconds_ago // unit} {name} ago"
    return f"{seconds_ago // 86_400} days ago"
