"""In-memory stand-ins for the ports. Each passes the contract suite of the real adapter."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from producers.ports import Delivery, Message
from schemas.errors import InvalidEvent, TransientError
from schemas.events import ViewingRecord
from schemas.recommendations import Audience, RecommendationList
from streams.history.order import newer
from streams.history.versions import ChunkId, Metadata, Version
from streams.ledger.accepted import Accepted
from streams.ledger.account import Account, Place
from streams.quality.figures import Figures, Label, empty
from streams.quality.ports import CheckpointTooLarge, Shown
from streams.quality.support import MemberError, SessionReport
from streams.quality.tally import MinuteFigures


@dataclass(frozen=True, slots=True)
class FakePartition:
    records: list[ViewingRecord]
    compacted_generation: int | None = None


class FakeLiveVH:
    """LiveVH in a dict. ``failures``: so many writes raise TransientError after half of the records."""

    def __init__(self, failures: int = 0) -> None:
        self.rows: dict[str, dict[str, ViewingRecord]] = {}
        self.tombstones: dict[tuple[str, str], int] = {}
        """Session -> write timestamp up to which its states are dead; cleared when ``gc_grace`` has passed."""
        self.markers: dict[str, int] = {}
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
        return FakePartition([rows[session] for session in sorted(rows)], self.markers.get(profile_id))

    async def count(self, profile_id: str, limit: int) -> int:
        return min(limit, len(self.rows.get(profile_id, {})))

    async def move_out(self, profile_id: str, records: Sequence[ViewingRecord], generation: int) -> None:
        rows = self.rows.setdefault(profile_id, {})
        for record in records:
            key = profile_id, record.playback_session_id
            self.tombstones[key] = max(self.tombstones.get(key, 0), record.write_timestamp)
            there = rows.get(record.playback_session_id)
            if there and there.write_timestamp <= record.write_timestamp:
                del rows[record.playback_session_id]
        self.markers[profile_id] = max(self.markers.get(profile_id, 0), generation)

    def _store(self, records: Sequence[ViewingRecord]) -> None:
        for record in records:
            if record.write_timestamp <= self.tombstones.get((record.profile_id, record.playback_session_id), -1):
                continue
            rows = self.rows.setdefault(record.profile_id, {})
            rival = rows.get(record.playback_session_id)
            rows[record.playback_session_id] = record if rival is None else newer(record, rival)


class FakeCompressedVH:
    """CompressedVH in dicts. ``decided`` is what Paxos agreed on, ``seen`` what an ordinary read shows of it."""

    def __init__(self) -> None:
        self.decided: dict[str, Metadata] = {}
        self.seen: dict[str, Metadata] = {}
        self.bodies: dict[tuple[str, ChunkId], bytes] = {}
        self.deleted: set[tuple[str, ChunkId]] = set()

    async def metadata(self, profile_id: str) -> Metadata | None:
        return self.seen.get(profile_id)

    async def newest_metadata(self, profile_id: str) -> Metadata | None:
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
        """A compare-and-set whose answer nobody waits for, as a coordinator does it that was paused."""
        if _version(self.decided.get(profile_id)) == base:
            self.decided[profile_id] = new

    def _show(self, profile_id: str) -> None:
        if profile_id in self.decided:
            self.seen[profile_id] = self.decided[profile_id]


def _version(metadata: Metadata | None) -> Version | None:
    return metadata.version if metadata else None


class FakeCompactionMetrics:
    """Counts what compactors and readers report."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.moved = 0
        self.written: list[int] = []
        self.unreadable = 0
        self.again: Counter[str] = Counter()

    def compacted(self, outcome: str, records: int, seconds: float) -> None:
        self.outcomes[outcome] += 1
        self.moved += records

    def wrote_chunk(self, size: int) -> None:
        self.written.append(size)

    def unreadable_chunk(self) -> None:
        self.unreadable += 1

    def read_again(self, reason: str) -> None:
        self.again[reason] += 1


class FakeSupport:
    """Sessions and errors in dicts; each cell of a row has a write timestamp of its own, as Cassandra's have."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[tuple[int, str], SessionReport]] = {}
        self.written: dict[tuple[str, str], tuple[int, object]] = {}
        """(session, cell) -> write timestamp and what decides between equal ones."""
        self.by_event: dict[str, dict[tuple[int, str], MemberError]] = {}

    async def save_reports(self, reports: Sequence[SessionReport]) -> None:
        for report in reports:
            self.tell(report)

    def tell(self, report: SessionReport) -> None:
        rows = self.sessions.setdefault(report.profile_id, {})
        key = -report.session_started_at, report.playback_session_id
        there = rows.get(key, msgspec.structs.replace(report, record=None, received=None))
        record = self._newer(report, "record", report.record and report.record.received_at)
        received = self._newer(report, "received", report.received)
        rows[key] = msgspec.structs.replace(
            there,
            record=report.record if record else there.record,
            received=report.received if received else there.received,
        )

    def _newer(self, report: SessionReport, cell: str, value: object) -> bool:
        new, at = (report.write_timestamp, value), (report.playback_session_id, cell)
        if value is None or new < self.written.get(at, (-1, None)):
            return False
        self.written[at] = new
        return True

    async def save_errors(self, errors: Sequence[MemberError]) -> None:
        for error in errors:
            self.tell_error(error)

    def tell_error(self, error: MemberError) -> None:
        rows = self.by_event.setdefault(error.profile_id, {})
        there = rows.setdefault((-error.client_time, error.event_id), error)
        if error.received_at > there.received_at:
            rows[-error.client_time, error.event_id] = error

    async def reports(self, profile_id: str, limit: int) -> list[SessionReport]:
        return [report for _, report in sorted(self.sessions.get(profile_id, {}).items())][:limit]

    async def errors(self, profile_id: str, limit: int) -> list[MemberError]:
        return [error for _, error in sorted(self.by_event.get(profile_id, {}).items())][:limit]


class FakeQuality:
    """Checkpoints and minutes in dicts. ``failures``: so many saves raise TransientError after half of the work."""

    def __init__(self, failures: int = 0) -> None:
        self.checkpoints: dict[int, tuple[int, bytes]] = {}
        self.rows: dict[tuple[int, int, Label], tuple[int, Figures]] = {}
        """(partition, minute, label) -> clock of the write, figures."""
        self.failures = failures
        self.support = FakeSupport()

    async def load(self, partition: int) -> bytes | None:
        found = self.checkpoints.get(partition)
        return found[1] if found else None

    async def save(self, partition: int, offset: int, state: bytes) -> None:
        if len(state) > 8 * 2**20:
            raise CheckpointTooLarge(f"{len(state)} bytes")
        if self.failures:
            self.failures -= 1
            raise TransientError("the store is away")
        there = self.checkpoints.get(partition)
        if there is None or offset >= there[0]:
            self.checkpoints[partition] = offset, state

    async def save_minutes(self, partition: int, clock: int, minutes: Sequence[MinuteFigures]) -> None:
        for one in minutes:
            at = partition, one.minute, one.label
            there = self.rows.get(at)
            if there is None or (there[0], msgspec.to_builtins(there[1])) <= (clock, msgspec.to_builtins(one.figures)):
                self.rows[at] = clock, one.figures

    async def save_reports(self, reports: Sequence[SessionReport]) -> None:
        await self.support.save_reports(reports)

    async def minutes(self, label_set: str, first: int, last: int) -> list[MinuteFigures]:
        sums: dict[tuple[int, Label], Figures] = {}
        for (_, minute, label), (_, figures) in self.rows.items():
            if label[0] == label_set and first <= minute <= last:
                sums.setdefault((minute, label), empty(label)).add(figures)
        return [MinuteFigures(minute, label, figures) for (minute, label), figures in sums.items()]


class FakeQualityMetrics:
    """Remembers what is shown, and whether anything that was shown ever fell."""

    def __init__(self) -> None:
        self.invalid: Counter[str] = Counter()
        self.shown: dict[int, Shown] = {}
        self.views: dict[int, list[int]] = {}
        """What each partition showed of a television's views, one after the other."""

    def skipped(self, topic: str, code: str) -> None:
        self.invalid[code] += 1

    def show(self, partition: int, shown: Shown) -> None:
        self.shown[partition] = shown
        television = shown.totals.get(("device", "tv", "1.0.0"), Figures())
        self.views.setdefault(partition, []).append(television.views)

    def hide(self, partition: int) -> None:
        del self.shown[partition]

    def saved(self, seconds: float) -> None: ...


class FakeRecommendations:
    """Lists in a dict."""

    def __init__(self) -> None:
        self.lists: dict[tuple[Audience, str], RecommendationList] = {}

    async def write(self, audience: Audience, lists: Mapping[str, RecommendationList]) -> None:
        for owner, made in lists.items():
            there = self.lists.get((audience, owner))
            if there is None or there.made_at <= made.made_at:
                self.lists[audience, owner] = made

    async def recommended(self, audience: Audience, owner: str) -> RecommendationList | None:
        return self.lists.get((audience, owner))


class FakeLedgerAccounts:
    """Accounts and collectors' counters in dicts."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, int], Account] = {}
        self.rows: dict[tuple[int, str, str], Accepted] = {}

    def load(self, of: Place) -> Account:
        return self.accounts.get((of.topic_id, of.partition), Account())

    def save(self, of: Place, account: Account) -> bool:
        if self.load(of).version != account.version:
            return False
        self.accounts[of.topic_id, of.partition] = account.followed()
        return True

    def accepted(self, hour: int) -> list[Accepted]:
        return [row for (at, _, _), row in sorted(self.rows.items()) if at == hour]

    def keep(self, rows: Iterable[Accepted]) -> None:
        self.rows |= {(row.hour, row.collector, row.family): row for row in rows}


class FakeLog:
    """Kafka in a list. ``fate`` decides what becomes of each message.

    A closed ``gate`` lets publishers wait; ``asked`` tells that one has come.
    """

    def __init__(self, fate: Callable[[Message], Delivery] = lambda _: "acknowledged") -> None:
        self.stored: list[Message] = []
        self.fate = fate
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.closed = False

    async def publish(self, messages: Sequence[Message]) -> list[Delivery]:
        self.asked.set()
        await self.gate.wait()
        fates: list[Delivery] = ["failed" if len(m.value) > 2 * 2**20 else self.fate(m) for m in messages]
        self.stored += [message for message, fate in zip(messages, fates, strict=True) if fate == "acknowledged"]
        return fates

    async def ready(self) -> bool:
        return not self.closed

    def close(self) -> None:
        self.closed = True


class FakeObjectStore:
    """An object store in a dict."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        if key in self.objects:
            return False
        self.objects[key] = (body, dict(metadata))
        return True

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = (body, {})

    def head(self, key: str) -> dict[str, str]:
        return dict(self.objects[key][1])

    def get(self, key: str) -> bytes:
        return self.objects[key][0]

    def list(self, prefix: str, start_after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix) and key > start_after)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)


class FakeHistoryMetrics:
    """Counts what the history worker reports."""

    def __init__(self) -> None:
        self.invalid: Counter[str] = Counter()
        self.written = 0
        self.conflicting = 0
        self.event_times: list[int] = []

    def taken(self, topic: str, events: int) -> None: ...

    def worked(self, seconds: float) -> None: ...

    def processed(self, topic: str, partition: int, appended: Mapping[int, int]) -> None: ...

    def lag(self, topic: str, partition: int, records: int) -> None: ...

    def unassigned(self, topic: str, partition: int) -> None: ...

    def retried(self, operation: str) -> None: ...

    def skipped(self, topic: str, code: str) -> None:
        self.invalid[code] += 1

    def wrote(self, records: int, seconds: float) -> None:
        self.written += records

    def visible(self, event_times: Iterable[int]) -> None:
        self.event_times += event_times

    def conflicts(self, count: int) -> None:
        self.conflicting += count
