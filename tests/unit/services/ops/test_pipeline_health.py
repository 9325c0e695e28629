"""Lag of groups that report nothing, and backends that do not answer."""

import asyncio
from collections.abc import Mapping

import pytest

from domain.metrics import BACKEND_UP, GROUP_LAG, GROUP_LAG_SECONDS, Gauge
from domain.processes import consumer_groups
from schemas.errors import TransientError
from schemas.topics import Partition
from services.ops.pipeline_health import Offsets, PipelineHealth
from tests.support.fake_metrics import FakeMetrics

PLAYBACK, UI = ("playhead.playback", 0), ("playhead.ui", 2)
NOW = 1_000_000


@pytest.fixture
def measured() -> FakeMetrics:
    return FakeMetrics()


@pytest.fixture
def health(measured: FakeMetrics) -> PipelineHealth:
    return PipelineHealth(measured)


def offsets(playback: int = 100, ui: int = 50, **commits: Mapping[Partition, int]) -> Offsets:
    """``commits`` by the group's name without ``playhead.``."""
    committed = {group: commits.get(group.removeprefix("playhead."), {}) for group in consumer_groups()}
    return Offsets({PLAYBACK: 40, UI: 0}, {PLAYBACK: playback, UI: ui}, committed, consumer_groups())


def lag_of_history(measured: FakeMetrics) -> tuple[float, float]:
    """Records, and the age of the oldest in seconds."""
    return measured.gauges[GROUP_LAG]["playhead.history",], measured.gauges[GROUP_LAG_SECONDS]["playhead.history",]


def test_lag_is_what_a_group_has_yet_to_commit_of_its_own_topics(health: PipelineHealth, measured: FakeMetrics) -> None:
    lake = {PLAYBACK: 100, UI: 45}
    health.set_lag(NOW, offsets(history={PLAYBACK: 93}, lake=lake, quality={PLAYBACK: 99}))
    assert measured.gauges[GROUP_LAG] == {
        ("playhead.history",): 7,
        ("playhead.lake",): 5,
        ("playhead.compaction",): 0,
        ("playhead.quality",): 1,
    }


def test_a_group_that_never_committed_has_all_that_kafka_keeps_before_it(
    health: PipelineHealth, measured: FakeMetrics
) -> None:
    health.set_lag(NOW, offsets())
    assert lag_of_history(measured) == (60, 0)


def test_the_age_of_the_oldest_waiting_record_grows_until_it_is_committed(
    health: PipelineHealth, measured: FakeMetrics
) -> None:
    health.set_lag(NOW, offsets(100, history={PLAYBACK: 100}))
    health.set_lag(NOW + 10_000, offsets(103, history={PLAYBACK: 100}))
    health.set_lag(NOW + 40_000, offsets(200, history={PLAYBACK: 100}))
    assert lag_of_history(measured) == (100, 30)
    health.set_lag(NOW + 44_000, offsets(200, history={PLAYBACK: 103}))
    assert lag_of_history(measured) == (97, 4)


def test_without_kafka_no_lag_is_reported(health: PipelineHealth, measured: FakeMetrics) -> None:
    health.set_lag(NOW, offsets())
    health.clear_lag()
    assert measured.gauges[GROUP_LAG] == measured.gauges[GROUP_LAG_SECONDS] == {}


async def test_a_backend_is_up_when_it_answers_and_down_when_it_does_not(
    health: PipelineHealth, measured: FakeMetrics
) -> None:
    async def answers() -> str:
        return "an answer"

    async def is_away() -> None:
        raise TransientError("away")

    assert await health.probe("s3", answers) == "an answer"
    with pytest.raises(TransientError):
        await health.probe("cassandra", is_away)
    assert measured.gauges[BACKEND_UP] == {("s3",): 1, ("cassandra",): 0}


async def test_a_backend_that_hangs_is_down_until_it_answers(
    health: PipelineHealth, measured: FakeMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ops.pipeline_health.SLOW_S", 0.01)
    answer, reported = asyncio.Event(), asyncio.Event()
    set_gauge = measured.set

    def set_and_report(gauge: Gauge, value: float | None, **labels: str | int) -> None:
        set_gauge(gauge, value, **labels)
        reported.set()

    monkeypatch.setattr(measured, "set", set_and_report)

    async def hangs() -> None:
        await answer.wait()

    asking = asyncio.create_task(health.probe("s3", hangs))
    await reported.wait()
    assert measured.gauges[BACKEND_UP] == {("s3",): 0}
    answer.set()
    await asking
    assert measured.gauges[BACKEND_UP] == {("s3",): 1}
