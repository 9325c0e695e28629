"""Tracks the missing sequence numbers of a session: events that its client sent and we never received."""

from domain.quality.state import Session
from domain.support.updates import Received

MOST_GAPS = 32
"""Beyond this number of gaps the oldest one counts as lost."""


def record_seq(session: Session, seq: int) -> bool:
    """Record a received sequence number, in any order, repeats included. Returns whether a gap opened or closed."""
    if seq == session.next_seq:
        session.next_seq = seq + 1
        return False
    before = session.missing
    if seq > session.next_seq:
        session.missing = (*session.missing, (session.next_seq, seq))
        session.next_seq = seq + 1
    else:
        session.missing = tuple(
            part
            for first, after in session.missing
            for part in ((first, min(seq, after)), (max(first, seq + 1), after))
            if part[0] < part[1]
        )
    if len(session.missing) > MOST_GAPS:
        (first, after), *kept = session.missing
        session.lost += after - first
        session.missing = tuple(kept)
    return session.missing != before


def lost(session: Session) -> int:
    """Events that are lost if no more arrive."""
    return session.lost + (sum(after - first for first, after in session.missing) if session.missing else 0)


def received(session: Session) -> Received:
    return Received(session.next_seq - lost(session), session.next_seq)
