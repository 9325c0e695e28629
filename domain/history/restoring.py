"""Write back what a history has lost: a chunk that is gone or damaged, or rows of LiveVH.

The records come from the events that lake and Kafka still hold, so they are each session's newest state. They go into
CompressedVH, as a roll-up's would. LiveVH would not take them: what deleted its rows left tombstones, which carry the
rows' own write timestamps or later ones, and a tombstone wins a tie. A state that is newer, in either store, stays.

A chunk that cannot be read leaves the metadata only if the records replace all of its sessions, or if a person accepts
the loss. Like a compaction, a restore may be killed at any point and may race with others.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.history.chunks.layout import CorruptChunk
from domain.history.compaction import Compactor
from domain.history.live import read_live
from domain.history.merge import merge
from domain.history.versions import Chunk, Metadata, position
from schemas.events import ViewingRecord

Outcome = Literal["nothing lost", "restored", "sessions missing", "try again"]
"""``sessions missing``: nothing was changed, as an unreadable chunk held sessions that the records lack. ``try again``:
a compaction was faster."""


@dataclass(frozen=True, slots=True)
class Restored:
    outcome: Outcome
    sessions: int = 0
    """Written back."""
    missing: int = 0
    """Sessions of unreadable chunks that the records lack."""


@dataclass(frozen=True, slots=True)
class Restorer:
    compactor: Compactor

    async def restore(self, profile_id: str, records: Sequence[ViewingRecord], *, accept_loss: bool) -> Restored:
        """``records``: one for each session of the profile that any event is known of.

        Raises TransientError while a store is unavailable, UnknownSchema for a chunk of a newer format.
        """
        stores = self.compactor
        partition, base = await asyncio.gather(
            read_live(stores.live, profile_id), stores.compressed.metadata_serial(profile_id)
        )
        readable, held, lost = [], list(partition.records), []
        for chunk in base.chunks if base else ():
            try:
                held += await stores.records(profile_id, chunk)
                readable.append(chunk)
            except CorruptChunk:
                lost.append(chunk)
        missing = sum(max(0, chunk.records - len(_within(chunk, records))) for chunk in lost)
        if missing and not accept_loss:
            return Restored("sessions missing", missing=missing)
        due = _due(records, held, lost)
        if not due:
            return Restored("nothing lost", missing=missing)
        remaining = Metadata(base.version, tuple(readable)) if base else None
        new = await stores.prepare(profile_id, remaining, sorted(due, key=position))
        if new is None or not await stores.publish(profile_id, base, new):
            return Restored("try again", missing=missing)
        return Restored("restored", len(due), missing)


def _within(chunk: Chunk, records: Sequence[ViewingRecord]) -> list[ViewingRecord]:
    return [record for record in records if chunk.covers(position(record))]


def _due(records: Sequence[ViewingRecord], held: Sequence[ViewingRecord], lost: Sequence[Chunk]) -> list[ViewingRecord]:
    """What no store holds in this state or a newer one; of lost chunks everything, so that they can be replaced."""
    known = {record.playback_session_id: record for record in merge(held)}
    replaced = {record.playback_session_id for chunk in lost for record in _within(chunk, records)}
    return [
        record
        for record in records
        if record.playback_session_id in replaced
        or (other := known.get(record.playback_session_id)) is None
        or merge([other], [record]) != [other]
    ]
