"""A profile's two stores in memory, with its compactor and reader."""

from dataclasses import dataclass, field

from domain.history.compaction import Compactor, Step
from domain.history.reading import HistoryReader
from domain.history.rollup import RollUpRules
from domain.history.versions import Metadata
from schemas.events import ViewingRecord
from tests.support.builders import T0, viewing_record
from tests.support.fake_history import FakeCompressedVH, FakeLiveVH
from tests.support.fake_metrics import FakeMetrics

PROFILE = "ml-1"
DAY = 86_400_000
MINUTE = 60_000


def session(number: int, seq: int = 3, **changes: object) -> ViewingRecord:
    """A closed session, this many minutes after the first."""
    return viewing_record(
        **{
            "profile_id": PROFILE,
            "playback_session_id": f"018bcfe5-6800-7000-8000-{number:012d}",
            "session_started_at": T0 + number * MINUTE,
            "seq": seq,
            "event_type": "stopped",
            **changes,
        }
    )


@dataclass
class Stores:
    rules: RollUpRules = field(default_factory=lambda: RollUpRules(keep_live=2, chunk_bytes=400))
    now: int = T0 + DAY
    live: FakeLiveVH = field(default_factory=FakeLiveVH)
    compressed: FakeCompressedVH = field(default_factory=FakeCompressedVH)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    steps: list[Step] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def compactor(self) -> Compactor:
        async def at(step: Step) -> None:
            self.steps.append(step)

        async def wait(seconds: float) -> None:
            self.waits.append(seconds)

        return Compactor(self.live, self.compressed, self.metrics, self.rules, lambda: self.now, at, wait)

    @property
    def reader(self) -> HistoryReader:
        return HistoryReader(self.live, self.compressed, self.metrics)

    @property
    def metadata(self) -> Metadata:
        return self.compressed.decided[PROFILE]

    async def compacted(self, *records: ViewingRecord) -> str:
        """Write these, then compact a minute later than the last time."""
        await self.live.write(records)
        self.now += MINUTE
        return await self.compactor.compact(PROFILE)

    async def history(self) -> list[ViewingRecord]:
        whole = await self.reader.read_all(PROFILE)
        assert whole.complete
        return whole.records
