"""Many members' histories made of a few: what the simulator made, played again by others.

Simulating half a million sessions would take half an hour, so some members are simulated, and their histories given to
other profiles. A copy shares with its original only what no encoding sees at the same time:

- session ids and recommendation ids get other random bits, devices and the profile another name;
- all times of a session move together, and the whole history by a random number of milliseconds;
- what was watched and how it went stays. Neither a chunk nor one of Cassandra's blocks ever holds two copies of one
  original, but for a block at the border of two partitions: so nothing can be saved by what they have in common.

A long history is a longer original many times in a row, with more sessions than a chunk can hold between a session
and its repetition; it starts them at random moments of ten years.
"""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from random import Random
from statistics import fmean

import msgspec
from rich.progress import track

from bench.histories import history
from domain.history.chunks.split import split
from domain.history.versions import position
from producers.simulator.ids import uuid7
from producers.simulator.synthetic import members
from schemas.events import ViewingRecord

Records = list[ViewingRecord]
ENDS_AT = 1_790_000_000_000
"""About when the newest sessions are, ms."""
SPREAD_MS = 90 * 86_400_000
LONG_MS = 10 * 365 * 86_400_000


def simulated(count: int, sessions: int, seed: int = 3) -> list[Records]:
    """So many members' first sessions, in the order of time; about 400 sessions a second and core."""
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("forkserver")) as pool:
        made = pool.map(history, members(count, seed), repeat(sessions))
        return [sorted(one, key=position) for one in track(made, f"Simulating {count} × {sessions:,}", total=count)]


@dataclass(frozen=True, slots=True)
class Copies:
    """Histories by number, generated on demand: the same for the same number."""

    originals: Sequence[Records]
    prefix: str
    sessions: int

    def profile_id(self, number: int) -> str:
        return f"{self.prefix}-{number}"

    def __getitem__(self, number: int) -> Records:
        """A history in the order of time."""
        random = Random(f"{self.prefix}/{number}")
        original = self.originals[number % len(self.originals)]
        pieces = -(-self.sessions // len(original))
        end = ENDS_AT - random.randrange(SPREAD_MS)
        if pieces == 1:
            shift = end - original[-1].session_started_at
            starts = [record.session_started_at + shift for record in original[: self.sessions]]
        else:
            starts = sorted(end - random.randrange(LONG_MS) for _ in range(self.sessions))
        played = (record for _ in range(pieces) for record in original)
        return [
            _copy(record, self.profile_id(number), number, start, random)
            for record, start in zip(played, starts, strict=False)
        ]


def _copy(record: ViewingRecord, profile_id: str, number: int, started_at: int, random: Random) -> ViewingRecord:
    moved = started_at - record.session_started_at
    recommendation = record.recommendation_id
    return msgspec.structs.replace(
        record,
        profile_id=profile_id,
        playback_session_id=_reborn(record.playback_session_id, moved, random),
        recommendation_id=recommendation and _reborn(recommendation, moved, random),
        device_id=f"{record.device_id.rpartition('-')[0]}-{number}",
        session_started_at=started_at,
        event_time=record.event_time + moved,
        received_at=record.received_at + moved,
    )


def _reborn(uuid: str, moved: int, random: Random) -> str:
    return uuid7(int(uuid[:8] + uuid[9:13], 16) + moved, random)


def bytes_a_record(histories: Sequence[Records]) -> float:
    """In chunks, without anything that a store adds."""
    return fmean(sum(len(chunk.body) for chunk in split(one)) / len(one) for one in histories)
