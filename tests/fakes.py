"""In-memory stand-ins for the ports. Each passes the contract suite of the real adapter."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from producers.ports import Delivery, Message
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

    def taken(self, topic: str, events: int) -> None: ...

    def processed(self, topic: str, partition: int, timestamp_ms: int) -> None: ...

    def lag(self, topic: str, partition: int, records: int) -> None: ...

    def retried(self, operation: str) -> None: ...

    def skipped(self, topic: str, code: str) -> None:
        self.invalid[code] += 1

    def wrote(self, records: int, seconds: float) -> None:
        self.written += records

    def conflicts(self, count: int) -> None:
        self.conflicting += count
