"""Viewing histories from the simulator: the newest state of a member's sessions, with faults."""

from domain.history.merge import merge
from producers.simulator.audience import Member
from producers.simulator.network import Faults, arrivals
from producers.simulator.visits import Span, visits
from schemas.events import Playback, ViewingRecord
from tests.support.builders import recorded
from tests.support.simulated_events import DAY_MS, DEFAULT_NOW

_YEARS = 40
"""Long enough for any number of sessions: members come every few days."""


def history(member: Member, sessions: int, seed: int = 7) -> list[ViewingRecord]:
    """One member's first sessions; about 100 sessions a second."""
    span = Span(DEFAULT_NOW - _YEARS * 365 * DAY_MS, DEFAULT_NOW)
    newest: dict[str, ViewingRecord] = {}
    for delivery in arrivals(visits([member], span, seed), Faults(), span, seed):
        event = delivery.event
        if isinstance(event, Playback) and delivery.corruption is None:
            record = recorded(event)
            known = newest.get(record.playback_session_id)
            newest[record.playback_session_id] = merge([known], [record])[0] if known else record
            if len(newest) > sessions:  # so that the last one is whole
                del newest[record.playback_session_id]
                break
    return list(newest.values())
