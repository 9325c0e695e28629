"""A profile's live history, read in parts: one that is usual comes in one part, and a giant one in many.

The parts follow each other, and the last one's marker counts. A record that a part lacks because it was moved before,
was moved by the compaction that this part's marker names, or by an older one. So a marker that is read with the rows or
after them misses none. The first part's marker would: compactions go on between the parts.

Cassandra refuses a read that passes over too many deleted rows. Such a part is read again with fewer rows: among the
deleted rows lie milestones, rows without a record, so that a short part never has far to go.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.history.ports import LiveReads
from schemas.errors import TooManyDeletions
from schemas.events import ViewingRecord

PART = 1_000
"""Rows that are read at once: a few milliseconds to decode."""
FEWER = 20
"""How much shorter a part is read again: 50 rows with their milestones are about 25,000 deletions apart."""


@dataclass(frozen=True, slots=True)
class LiveHistory:
    records: list[ViewingRecord]
    """Of the highest ids first."""
    compacted_generation: int | None
    """The newest compaction that moved records out of LiveVH; None before the first one."""
    written_at: Mapping[str, int]
    """By session: the write timestamp of its state, which older software may have written in its own way."""
    more_before: str | None
    """The id below which it has more records than were asked for; None: this is all."""


async def read_live(
    live: LiveReads, profile_id: str, most: int | None = None, before: str | None = None
) -> LiveHistory:
    """The live records with ids below ``before``, about ``most`` of them if there are more; None: all.

    Raises TransientError; TooManyDeletions if even a single row is too far away.
    """
    records: list[ViewingRecord] = []
    written_at: dict[str, int] = {}
    rows = PART if most is None else min(PART, most)
    while True:
        try:
            part = await live.part(profile_id, rows, before)
        except TooManyDeletions:
            if rows == 1:
                raise
            rows = max(1, rows // FEWER)
            continue
        records += part.records
        written_at |= part.written_at
        before = part.more_before
        if before is None or (most is not None and len(records) >= most):
            return LiveHistory(records, part.compacted_generation, written_at, before)
