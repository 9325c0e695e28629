"""In-memory stand-ins for the ports. Each passes the contract suite of the real adapter."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import InvalidEvent, TransientError
from schemas.events import ViewingRecord
from streams.history.order import newer


@dataclass(frozen=True, slots=True)
class FakePartition:
    records: list[ViewingRecord]
    compacted_generation: int | None = None


class FakeLiveVH:
    """LiveVH in a dict. ``failures``: so many writes raise TransientError after half of the records."""

    def __init__(self, failures: int = 0) -> None:
        self.rows: dict[str, dict[str, ViewingRecord]] = {}
        self.failures = failures

    async def write(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:
        if self.failures:
            self.failures -= 1
            self._store(records[: len(records) // 2])
            raise TransientError("LiveVH is away")
        self._store(records)
        return []

    async def read(self, profile_id: str) -> FakePartition:
        rows = self.rows.get(profile_id, {})
        return FakePartition([rows[session] for session in sorted(rows)])

    def _store(self, records: Sequence[ViewingRecord]) -> None:
        for record in records:
            rows = self.rows.setdefault(record.profile_id, {})
            rival = rows.get(record.playback_session_id)
            rows[record.playback_session_id] = record if rival is None else newer(record, rival)
