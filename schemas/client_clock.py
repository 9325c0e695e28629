"""Corrects what a client's clock says: the time of an event, and the start of its session.

A clock may be wrong by years: a TV that boots in 1970 or 2019, a phone that is three days ahead. ``sent_at`` and
``received_at`` name the same moment, so their difference is the clock's error, whatever the clock says.
"""

from schemas.errors import InvalidEvent
from schemas.events import DAY_MS, Playback

TIMES = ("client_time", "session_started_at")
"""What an event says by its client's clock."""
LONGEST_WAIT_MS = 366 * DAY_MS
"""No event waits longer on its device: the clock was set meanwhile."""
YEAR_2000 = 946_684_800_000
"""A clock that shows an earlier time was never set: it counts from 1970."""


def check_milliseconds(field: str, value: int | None, now: int, within: int = LONGEST_WAIT_MS) -> None:
    """Raises InvalidEvent for a time in seconds. ``now``, in milliseconds, is near it by the same clock.

    ``sent_at`` has only the server's clock to be compared with, ``within`` a day. So a clock that counts from 1970 is
    mistaken for one in seconds during three minutes of its twenty-first day.
    """
    if value is not None and now >= YEAR_2000 and abs(value * 1000 - now) <= within:
        reason = f"{field} is {value}, which is a time in seconds; send milliseconds since 1970: {value * 1000}."
        raise InvalidEvent("out_of_range", reason, field)


def event_time(client_time: int, sent_at: int, received_at: int) -> int:
    """``client_time`` by the right clock, never after ``received_at``.

    An event that seems to have waited for over a year is as of its receipt: its client's clock was set meanwhile. If
    it was set by less, the result is off by as much; nothing is ordered by it.
    """
    waited = sent_at - client_time
    return received_at - waited if 0 <= waited <= LONGEST_WAIT_MS else received_at


def start(event: Playback, event_time: int) -> int:
    """The session's start by the right clock, at or before ``event_time``.

    If the client's clock says that the session began after the event, or over a day longer ago than the player's own
    counters account for, then it was set since the start; the counters alone decide.
    """
    elapsed = event.client_time - event.session_started_at
    counted = (event.startup_time_ms or 0) + event.watched_ms + event.paused_ms + event.rebuffer_ms
    if not 0 <= elapsed <= counted + DAY_MS:
        elapsed = max(0, counted)
    return max(1, event_time - elapsed)
