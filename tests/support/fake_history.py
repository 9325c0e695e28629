"""In-memory stand-ins for a history's two stores, which pass the adapters' contract suites."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from domain.history.kept import KEPT
from domain.history.merge import newer
from domain.history.ports import LivePart
from domain.history.versions import ChunkId, Metadata, Version
from schemas.errors import InvalidEvent, TooManyDeletions, TransientError
from schemas.events import ViewingRecord


class FakeLiveVH:
    """LiveVH in a dict. ``failures``: this many writes raise TransientError after half of the records.

    A read passes over at most ``most_deletions`` deleted rows. At most two are between milestones.
    """

    def __init__(self, failures: int = 0, most_deletions: int = 100_000) -> None:
        self.rows: dict[str, dict[str, ViewingRecord]] = {}
        self.tombstones: dict[tuple[str, str], int] = {}
        """Session -> write timestamp up to which its states are dead."""
        self.milestones: set[tuple[str, str]] = set()
        self.most_deletions = most_deletions
        self.markers: dict[str, int] = {}
        self.failures = failures

    async def write(self, records: Sequence[ViewingRecord]) -> list[InvalidEvent]:
        if self.failures:
            self.failures -= 1
            self._store(records[: len(records) // 2])
            raise TransientError("LiveVH is away")
        self._store(records)
        return []

    async def part(self, profile_id: str, limit: int, before: str | None = None) -> LivePart:
        live = self.rows.get(profile_id, {})
        milestones = {session for profile, session in self.milestones if profile == profile_id}
        deleted = {session for profile, session in self.tombstones if profile == profile_id}
        rows: list[str] = []
        passed = 0
        for session in sorted(live.keys() | milestones | deleted, reverse=True):
            if len(rows) == limit:
                break
            if before is not None and session >= before:
                continue
            if session in live or session in milestones:
                rows.append(session)
            elif (passed := passed + 1) > self.most_deletions:
                raise TooManyDeletions(f"{passed} deleted rows")
        records = [live[session] for session in rows if session in live]
        more_before = rows[-1] if len(rows) == limit else None
        return LivePart(records, self.markers.get(profile_id), more_before=more_before)

    async def count(self, profile_id: str, limit: int) -> int:
        return min(limit, len(self.rows.get(profile_id, {})))

    def _leave_milestones(self, profile_id: str) -> None:
        run = 0
        for key in sorted(key for key in self.tombstones if key[0] == profile_id):
            run = 0 if key in self.milestones else run + 1
            if run > 2:
                self.milestones.add(key)
                run = 0

    def forget_deletions(self) -> None:
        """``gc_grace`` has passed."""
        self.tombstones.clear()
        self.milestones.clear()

    async def delete_rolled_up(
        self,
        profile_id: str,
        records: Sequence[ViewingRecord],
        generation: int,
        written_at: Mapping[str, int] | None = None,
    ) -> None:
        rows = self.rows.setdefault(profile_id, {})
        for record in records:
            key = profile_id, record.playback_session_id
            self.tombstones[key] = max(self.tombstones.get(key, 0), record.write_timestamp)
            there = rows.get(record.playback_session_id)
            if there and there.write_timestamp <= record.write_timestamp:
                del rows[record.playback_session_id]
            elif there:
                rows[record.playback_session_id] = _without_dead(there, record.seq)
        self.markers[profile_id] = max(self.markers.get(profile_id, 0), generation)
        self._leave_milestones(profile_id)

    def _store(self, records: Sequence[ViewingRecord]) -> None:
        for record in records:
            dead = self.tombstones.get((record.profile_id, record.playback_session_id), -1)
            if record.write_timestamp <= dead:
                continue
            record = _without_dead(record, record.seq - (record.write_timestamp - dead))
            rows = self.rows.setdefault(record.profile_id, {})
            other = rows.get(record.playback_session_id)
            rows[record.playback_session_id] = record if other is None else newer(record, other)


def _without_dead(record: ViewingRecord, up_to: int) -> ViewingRecord:
    """Each kept value is a separate cell: those of events up to this ``seq`` are deleted."""
    dead = [kept for kept in KEPT if (getattr(record, kept.seq) or 0) <= up_to]
    return msgspec.structs.replace(record, **{field: None for kept in dead for field in kept.fields})


class FakeCompressedVH:
    """CompressedVH in dicts. ``decided`` is what Paxos agreed on, ``seen`` what an ordinary read shows of it."""

    def __init__(self) -> None:
        self.decided: dict[str, Metadata] = {}
        self.seen: dict[str, Metadata] = {}
        self.bodies: dict[tuple[str, ChunkId], bytes] = {}
        self.deleted: set[tuple[str, ChunkId]] = set()

    async def metadata(self, profile_id: str) -> Metadata | None:
        return self.seen.get(profile_id)

    async def metadata_serial(self, profile_id: str) -> Metadata | None:
        self._show(profile_id)
        return self.decided.get(profile_id)

    async def publish(self, profile_id: str, base: Version | None, new: Metadata) -> Version | None:
        self.decide(profile_id, base, new)
        self._show(profile_id)
        return _version(self.decided.get(profile_id))

    async def put_chunk(self, profile_id: str, chunk: ChunkId, body: bytes) -> None:
        if (profile_id, chunk) not in self.deleted:
            self.bodies[profile_id, chunk] = body

    async def chunk(self, profile_id: str, chunk: ChunkId) -> bytes | None:
        return self.bodies.get((profile_id, chunk))

    async def stored_chunks(self, profile_id: str, up_to: int) -> Sequence[ChunkId]:
        return sorted(chunk for owner, chunk in self.bodies if owner == profile_id and chunk.generation <= up_to)

    async def delete_chunks(self, profile_id: str, chunks: Iterable[ChunkId]) -> None:
        for chunk in chunks:
            self.deleted.add((profile_id, chunk))
            self.bodies.pop((profile_id, chunk), None)

    def decide(self, profile_id: str, base: Version | None, new: Metadata) -> None:
        """A compare-and-set without an answer, as a paused coordinator applies it later."""
        if _version(self.decided.get(profile_id)) == base:
            self.decided[profile_id] = new

    def _show(self, profile_id: str) -> None:
        if profile_id in self.decided:
            self.seen[profile_id] = self.decided[profile_id]


def _version(metadata: Metadata | None) -> Version | None:
    return metadata.version if metadata else None
