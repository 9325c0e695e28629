"""A profile's live history, read in parts: one that is usual comes in one part, and a giant one in many.

The parts follow each other, and the last one's marker counts. A record that a part lacks because it was moved before,
was moved by the compaction that this part's marker names, or by an older one. So a marker that is read with the rows or
after them misses none. The first part's marker would: compactions go on between the parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.history.ports import LiveReads
from schemas.events import ViewingRecord

PART = 1_000
"""Records that are decoded at once: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class LiveHistory:
    records: list[ViewingRecord]
    """Of the highest ids first."""
    compacted_generation: int | None
    """The newest compaction that moved records out of LiveVH; None before the first one."""
    written_at: Mapping[str, int]
    """By session: the write timestamp of its state, which older software may have written in its own way."""
    whole: bool
    """False when it has more records than were asked for."""


async def read_live(live: LiveReads, profile_id: str, most: int | None = None) -> LiveHistory:
    """The live records, about ``most`` of them if there are more; None: all. Raises TransientError."""
    records: list[ViewingRecord] = []
    written_at: dict[str, int] = {}
    before: str | None = None
    while True:
        part = await live.part(profile_id, PART, before)
        records += part.records
        written_at |= part.written_at
        before = part.more_before
        if before is None or (most is not None and len(records) >= most):
            return LiveHistory(records, part.compacted_generation, written_at, whole=before is None)
