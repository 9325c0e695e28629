"""What a support agent reads first: whether playback works for this member, in one sentence."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.ops.formatting import ago, words
from services.ops.support import SupportSession, SupportView

RECENT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Verdict:
    mood: str
    """good, warn or bad."""
    text: str


def verdict(view: SupportView, now: int) -> Verdict | None:
    """On the sessions of the last 24 hours, else on the newest; None if there are none. ``now``: milliseconds."""
    if not view.sessions:
        return None
    since = datetime.fromtimestamp(now / 1000, UTC) - RECENT
    recent = [session for session in view.sessions if session.started_at >= since] or view.sessions[:1]
    failed = [session for session in recent if session.outcome == "failed"]
    left = [session for session in recent if session.outcome == "exited_before_start"]
    stalled = [session for session in recent if session.quality.stalled_often]
    for mood, found, what in (
        ("bad", failed, "failed"),
        ("warn", left, "ended before the first frame"),
        ("warn", stalled, "stalled repeatedly"),
    ):
        if found:
            return Verdict(mood, f"{len(found)} of {_plays(len(recent))} {what}, the last {_about(found[0], now)}.")
    return Verdict("good", f"No problem in {_plays(len(recent))}, the last {_about(recent[0], now)}.")


def _plays(count: int) -> str:
    return "1 recent play" if count == 1 else f"{count} recent plays"


def _about(session: SupportSession, now: int) -> str:
    since = ago(now - round(session.last_event_at.timestamp() * 1000))
    device = f"{words(session.device.type)} {session.device.app_version}"
    code = f", {session.error.code}" if session.error and session.error.code else ""
    return f"{since} on {device}{code}"
