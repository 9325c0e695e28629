"""What a session adds when it is over, its grace for late events has passed, and it leaves the state."""

from domain.quality import formulas, gaps
from domain.quality.figures import POINT, Figures
from domain.quality.state import Session


def settle(session: Session, figures: Figures) -> None:
    """Quality is judged by the view's end: scores, lost events, and an exit that nobody announced."""
    started = session.startup_ms is not None
    vanished = not (started or session.failed or session.exited)
    success = formulas.success_score(started, session.failed, session.left_after_ms)
    startup = smoothness = 0
    if session.startup_ms is not None:
        startup = _thousandths(formulas.startup_score(session.startup_ms))
        smoothness = _thousandths(formulas.smoothness_score(session.rebuffers, session.rebuffer_ms, session.playing_ms))
    figures.settled_views += 1
    figures.settled_starts += started
    figures.startup_score += startup
    figures.smoothness_score += smoothness
    figures.success_scored_views += success is not None
    figures.success_score += (success or 0) * POINT
    figures.exits_before_start += vanished
    figures.events_expected += session.next_seq
    figures.events_lost += gaps.lost(session)


def _thousandths(score: float) -> int:
    return round(score * POINT)
