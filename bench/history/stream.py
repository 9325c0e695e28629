"""Years of watching as writes to Cassandra: sessions begin in the order of time, and each grows while others begin."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from bench.history.members import Copies, Records
from schemas.events import ViewingRecord
from streams.history.versions import position

STATES = 4
"""So often a session is written: half of it before a flush of Cassandra's, half after it."""


def rounds(histories: Copies, profiles: Sequence[int], count: int) -> Iterator[Records]:
    """So many parts of the same number of sessions. Between two of them Cassandra flushes its tables."""
    sessions = sorted((record for number in profiles for record in histories[number]), key=position)
    size = -(-len(sessions) // count)
    parts = [sessions[at : at + size] for at in range(0, len(sessions), size)]
    for ending, beginning in pairwise([[], *parts, []]):
        yield [
            state
            for number in range(STATES // 2)
            for part, done in ((ending, STATES // 2), (beginning, 0))
            for state in (_grown(record, done + number + 1) for record in part)
        ]


def _grown(record: ViewingRecord, states: int) -> ViewingRecord:
    """A session as so many of its states saw it; after the last it is whole."""
    if states == STATES:
        return record
    watched = record.watched_ms * states // STATES
    return msgspec.structs.replace(
        record,
        seq=record.seq * states // STATES,
        event_type="heartbeat",
        player_state="playing",
        watched_ms=watched,
        playhead_ms=max(0, record.playhead_ms - record.watched_ms + watched),
        event_time=record.session_started_at + watched,
        received_at=record.session_started_at + watched,
    )
