"""What the history needs from its two stores. Adapters in ``infra`` and fakes in tests satisfy these by shape.

Every method raises TransientError when the store is unavailable or slow; a write may have been applied then, or later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.history.versions import ChunkId, Metadata, Version
from schemas.errors import InvalidEvent
from schemas.events import CompactionRequest, ViewingRecord


@dataclass(frozen=True, slots=True)
class LivePart:
    """A part of a profile's live history, at one moment."""

    records: Sequence[ViewingRecord]
    """Of the highest ids first."""
    compacted_generation: int | None
    """The newest compaction that moved records out of LiveVH before this moment; None before the first one."""
    written_at: Mapping[str, int] = field(default_factory=dict)
    """By session: the write timestamp of its state, which older software may have written in its own way."""
    more_before: str | None = None
    """The id below which the next part begins; None: this was the last one."""


class LiveReads(Protocol):
    async def part(self, profile_id: str, limit: int, before: str | None = None) -> LivePart:
        """Up to ``limit`` rows, those with the highest ids below ``before``. The store has an order of ids.

        A milestone is a row, but no record: a part may have fewer records than rows, or none. Raises TooManyDeletions
        if as many rows are too far apart; ask for fewer.
        """
        ...


class LiveMoves(LiveReads, Protocol):
    async def delete_rolled_up(
        self,
        profile_id: str,
        records: Sequence[ViewingRecord],
        generation: int,
        written_at: Mapping[str, int] | None = None,
    ) -> None:
        """Delete these states and mark the partition with the generation that holds them, atomically.

        A newer state of a session survives. The marker never goes back to a lower generation. Some deletions leave a
        milestone, which lasts longer than they do. ``written_at``: as the partition was read; without it, states count
        as written by this software.
        """
        ...


class CompressedReads(Protocol):
    async def metadata(self, profile_id: str) -> Metadata | None:
        """The version published last, or the one before it during a publish."""
        ...

    async def metadata_serial(self, profile_id: str) -> Metadata | None:
        """The version published last, read at SERIAL consistency; slower."""
        ...

    async def chunk(self, profile_id: str, chunk: ChunkId) -> bytes | None:
        """The body; None when it was deleted."""
        ...


class CompressedVHStore(CompressedReads, Protocol):
    async def put_chunk(self, profile_id: str, chunk: ChunkId, body: bytes) -> None: ...

    async def publish(self, profile_id: str, base: Version | None, new: Metadata) -> Version | None:
        """Replace the metadata if its version still is ``base`` (None: there is no metadata yet).

        Returns the version in place afterwards. TransientError: it was replaced, or not, or will be later.
        """
        ...

    async def stored_chunks(self, profile_id: str, up_to: int) -> Sequence[ChunkId]:
        """Every chunk of a generation up to this one, listed or not."""
        ...

    async def delete_chunks(self, profile_id: str, chunks: Iterable[ChunkId]) -> None: ...


class LiveVHStore(LiveReads, Protocol):
    async def write(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:
        """Store every record, in any order, any number of times: the newest per session wins.

        Returns one error for each record that the store will never accept. Raises TransientError when some records may
        not have been stored: write all of them again.
        """
        ...


class LiveCounts(Protocol):
    async def count(self, profile_id: str, limit: int) -> int:
        """The number of a profile's sessions in LiveVH, at most ``limit``. Raises TransientError."""
        ...


class CompactionRequests(Protocol):
    def publish(self, requests: Sequence[CompactionRequest]) -> None:
        """Returns when Kafka has all of them. Raises TransientError when it may not."""
        ...
