"""The pipeline seen from outside: lag of silent groups, backends that do not answer."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import pytest

from domain.metrics import BACKEND_UP, GROUP_LAG, GROUP_LAG_SECONDS, Gauge
from schemas.errors import TransientError
from schemas.events import Record
from services.ops.pipeline_health import PipelineHealth
from services.ports import Partition
from tests.support.fake_metrics import FakeMetrics

PLAYBACK, UI = ("playhead.playback", 0), ("playhead.ui", 2)


class Log:
    def __init__(self) -> None:
        self.away = False
        self.ends: dict[Partition, int] = {PLAYBACK: 100, UI: 50}
        self.commits: dict[str, dict[Partition, int]] = {}

    def offsets(self) -> tuple[Mapping[Partition, int], Mapping[Partition, int]]:
        if self.away:
            raise TransientError("Kafka is away")
        return {PLAYBACK: 40, UI: 0}, dict(self.ends)

    def committed(self, group: str, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        return self.commits.get(group, {})

    def topic_ids(self) -> Mapping[str, str]:
        raise NotImplementedError

    def newest(self, topic: str, count: int) -> Sequence[tuple[int, Record]]:
        raise NotImplementedError


class Told(FakeMetrics):
    def __init__(self) -> None:
        super().__init__()
        self.engines: list[tuple[str | int, bool]] = []
        self.spoken = asyncio.Event()

    def set(self, gauge: Gauge, value: float | None, **labels: str | int) -> None:
        super().set(gauge, value, **labels)
        if gauge is BACKEND_UP:
            self.engines.append((labels["backend"], value == 1))
            self.spoken.set()

    @property
    def lag(self) -> dict[str | int, tuple[float, float]]:
        records, seconds = self.gauges[GROUP_LAG], self.gauges[GROUP_LAG_SECONDS]
        return {group: (records[group,], seconds[group,]) for (group,) in records}


class World:
    def __init__(self) -> None:
        self.log, self.told, self.now = Log(), Told(), 1_000_000
        self.health = PipelineHealth(self.log, self.told, lambda: self.now)


@pytest.fixture
def world() -> World:
    return World()


async def test_lag_is_what_a_group_has_yet_to_commit_of_its_own_topics(world: World) -> None:
    commits = {"playhead.history": {PLAYBACK: 93}, "playhead.lake": {PLAYBACK: 100, UI: 45}}
    world.log.commits = {**commits, "playhead.quality": {PLAYBACK: 99}}
    await world.health.look()
    assert world.told.lag == {
        "playhead.history": (7, 0),
        "playhead.lake": (5, 0),
        "playhead.compaction": (0, 0),
        "playhead.quality": (1, 0),
    }


async def test_a_group_that_never_committed_has_all_that_kafka_keeps_before_it(world: World) -> None:
    await world.health.look()
    assert world.told.lag["playhead.history"] == (60, 0)


async def test_the_age_of_the_oldest_waiting_record_grows_until_it_is_committed(world: World) -> None:
    world.log.commits = {"playhead.history": {PLAYBACK: 100}}
    await world.health.look()
    world.now += 10_000
    world.log.ends[PLAYBACK] = 103
    await world.health.look()
    world.now += 30_000
    world.log.ends[PLAYBACK] = 200
    await world.health.look()
    assert world.told.lag["playhead.history"] == (100, 30)
    world.log.commits["playhead.history"][PLAYBACK] = 103
    world.now += 4_000
    await world.health.look()
    assert world.told.lag["playhead.history"] == (97, 4)


async def test_without_kafka_nothing_is_said_of_the_groups(world: World) -> None:
    await world.health.look()
    world.log.away = True
    with pytest.raises(TransientError):
        await world.health.look()
    assert world.told.lag == {}


async def test_an_engine_is_up_when_it_answers_and_down_when_it_does_not(world: World) -> None:
    async def answers() -> None: ...

    async def is_away() -> None:
        raise TransientError("away")

    await world.health.ask("s3", answers)
    await world.health.ask("cassandra", is_away)
    assert world.told.engines == [("s3", True), ("cassandra", False)]


async def test_an_engine_that_hangs_is_down_until_it_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ops.pipeline_health.PATIENCE_S", 0.01)
    answer = asyncio.Event()

    async def hangs() -> None:
        await answer.wait()

    asking = asyncio.create_task(world.health.ask("s3", hangs))
    await world.told.spoken.wait()
    answer.set()
    await asking
    assert world.told.engines == [("s3", False), ("s3", True)]
