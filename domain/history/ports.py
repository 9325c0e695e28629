"""What the history needs from its two stores. Adapters in ``infra`` and fakes in tests satisfy these by shape.

Every method raises TransientError when the store is away or slow; a write may have happened then, or still will.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from domain.history.versions import ChunkId, Metadata, Version
from schemas.errors import InvalidEvent
from schemas.events import CompactionRequest, ViewingRecord


class LivePartition(Protocol):
    """A profile's whole live history, as it stood at one moment."""

    @property
    def records(self) -> Sequence[ViewingRecord]: ...

    @property
    def compacted_generation(self) -> int | None:
        """The newest compaction that moved records out of here, None if there was none yet."""
        ...


class LiveReads(Protocol):
    async def read(self, profile_id: str) -> LivePartition: ...


class LiveMoves(LiveReads, Protocol):
    async def delete_rolled_up(self, profile_id: str, records: Sequence[ViewingRecord], generation: int) -> None:
        """Delete these states and mark the partition with the generation that holds them, all at one moment.

        A newer state of a session survives. A lower generation than the marker's leaves the marker as it is.
        """
        ...


class CompressedReads(Protocol):
    async def metadata(self, profile_id: str) -> Metadata | None:
        """The version published last, or the one before while a publish is under way."""
        ...

    async def metadata_serial(self, profile_id: str) -> Metadata | None:
        """The version published last, for certain; slower."""
        ...

    async def chunk(self, profile_id: str, chunk: ChunkId) -> bytes | None:
        """The body, None when it is gone."""
        ...


class CompressedVHStore(CompressedReads, Protocol):
    async def put_chunk(self, profile_id: str, chunk: ChunkId, body: bytes) -> None: ...

    async def publish(self, profile_id: str, base: Version | None, new: Metadata) -> Version | None:
        """Replace the metadata if it still is of version ``base`` (None: there is none yet).

        Returns the version that is there afterwards. TransientError: it was replaced, or not, or will be.
        """
        ...

    async def stored_chunks(self, profile_id: str, up_to: int) -> Sequence[ChunkId]:
        """Every chunk of a generation up to this one, listed or not."""
        ...

    async def delete_chunks(self, profile_id: str, chunks: Iterable[ChunkId]) -> None: ...


class HistoryAlarms(Protocol):
    def unreadable_chunk(self) -> None:
        """A chunk is listed, and is not there or not readable."""
        ...


class CompactionMetrics(HistoryAlarms, Protocol):
    def compacted(self, outcome: str, records: int, seconds: float) -> None:
        """A compaction ended; so many records left LiveVH."""
        ...

    def wrote_chunk(self, size: int) -> None: ...


class ReadMetrics(HistoryAlarms, Protocol):
    def read_again(self, reason: str) -> None:
        """A compaction was published while a reader read: it asked for the newest metadata."""
        ...


class LiveVHStore(LiveReads, Protocol):
    async def write(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:
        """Store every record, in any order, any number of times: the newest per session stays.

        Returns one error for each record that the store refuses for ever. Raises TransientError when some
        records may not have been stored: write all of them again.
        """
        ...


class LiveCounts(Protocol):
    async def count(self, profile_id: str, limit: int) -> int:
        """How many sessions a profile has in LiveVH, ``limit`` at most. Raises TransientError."""
        ...


class CompactionRequests(Protocol):
    async def publish(self, requests: Sequence[CompactionRequest]) -> None:
        """Returns when Kafka has all of them. Raises TransientError when it may not."""
        ...
