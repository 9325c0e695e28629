"""What a session adds to the figures once it is over and its grace period for late events has passed."""

from domain.quality import formulas, gaps
from domain.quality.figures import POINT, Figures
from domain.quality.state import Session


def finalize(session: Session, figures: Figures) -> None:
    """Adds what is known only at the end of a view: scores, lost events, and an exit without an event."""
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
