"""Years of watching as writes to Cassandra: sessions begin in the order of time, and each grows while others begin."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from bench.history.members import Records
from domain.history.versions import position
from schemas.events import ViewingRecord

FEW_STATES = 4
"""Fewer than viewing has, so that years are played within minutes."""


def rounds(sessions: Iterable[ViewingRecord], size: int, states: int = FEW_STATES) -> Iterator[Records]:
    """Parts in which this many sessions begin, written in half of their states; in the next part, in the others.

    ``states`` is even.
    """
    ordered = sorted(sessions, key=position)
    parts = [ordered[at : at + size] for at in range(0, len(ordered), size)]
    for ending, beginning in pairwise([[], *parts, []]):
        yield [
            _grown(record, (done + number + 1) / states)
            for number in range(states // 2)
            for part, done in ((ending, states // 2), (beginning, 0))
            for record in part
        ]


def _grown(record: ViewingRecord, share: float) -> ViewingRecord:
    """A session of which so much is over; with all of it, it is whole."""
    if share == 1:
        return record
    watched = int(record.watched_ms * share)
    return msgspec.structs.replace(
        record,
        seq=int(record.seq * share),
        event_type="heartbeat",
        player_state="playing",
        watched_ms=watched,
        playhead_ms=max(0, record.playhead_ms - record.watched_ms + watched),
        event_time=record.session_started_at + watched,
        received_at=record.session_started_at + watched,
    )
