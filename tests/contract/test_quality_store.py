"""The contract of the quality store, for the fake and for Cassandra."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any, Protocol
from uuid import uuid4

import pytest

from domain.quality.figures import Figures
from domain.quality.ports import Checkpoints, CheckpointTooLarge, Minutes
from domain.quality.tally import MinuteFigures
from infra.engines.cassandra import close, connect
from infra.stores.quality_cassandra import QualityCheckpoints, QualityMinutes
from tests.support.fake_quality import FakeQualityStore

DEVICE_BUCKETS = 19


class Store(Checkpoints, Minutes, Protocol): ...


class CassandraStore(QualityCheckpoints, QualityMinutes):
    """Both halves on one session."""

    def __init__(self, session: object, topic_id: str) -> None:
        QualityCheckpoints.__init__(self, session, topic_id)
        QualityMinutes.__init__(self, session)


@pytest.fixture(params=["fake", pytest.param("cassandra", marks=pytest.mark.engines)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeQualityStore()
        return
    session = connect(request.getfixturevalue("stack"))
    yield CassandraStore(session, str(uuid4()))
    await asyncio.to_thread(close, session)


@pytest.fixture
def hour() -> int:
    """An hour that no other test writes to, in minutes since the epoch."""
    return uuid4().int % 10_000_000 // 60 * 60


def of(minute: int, playing_ms: int = 0, version: str = "1.0") -> MinuteFigures:
    startups = (playing_ms, *[0] * (DEVICE_BUCKETS - 1))
    return MinuteFigures(minute, ("device", "tv", version), Figures(playing_ms=playing_ms, startups=startups))


async def test_a_checkpoint_is_loaded_as_it_was_saved(store: Store) -> None:
    assert await store.load(3) is None
    await store.save(3, 0, 0, b"\x00\xff")
    assert (await store.load(3), await store.load(4)) == (b"\x00\xff", None)


async def test_a_checkpoint_of_a_higher_offset_stays(store: Store) -> None:
    await store.save(0, 10, 0, b"ten")
    await store.save(0, 9, 0, b"nine")
    assert await store.load(0) == b"ten"
    await store.save(0, 11, 0, b"eleven")
    assert await store.load(0) == b"eleven"


async def test_at_one_offset_the_checkpoint_of_the_later_minute_stays(store: Store) -> None:
    await store.save(0, 10, 7 * 60_000, b"quiet for 7 minutes")
    await store.save(0, 10, 6 * 60_000, b"quiet for 6")
    assert await store.load(0) == b"quiet for 7 minutes"
    await store.save(0, 10, 1_795_000_000_000, b"quiet for years")
    await store.save(0, 11, 6 * 60_000, b"eleven")
    assert await store.load(0) == b"eleven"


async def test_a_state_of_megabytes_fits_and_a_larger_one_is_an_error(store: Store) -> None:
    large = Random(1).randbytes(8 * 2**20)
    await store.save(0, 1, 0, large)
    assert await store.load(0) == large
    with pytest.raises(CheckpointTooLarge):
        await store.save(0, 2, 0, large + b"\x00")


async def test_minutes_are_read_with_every_figure(store: Store, hour: int) -> None:
    values: dict[str, Any] = {name: n for n, name in enumerate(Figures.__struct_fields__, 1) if name != "startups"}
    full = MinuteFigures(hour, ("country", "NL"), Figures(**values))
    await store.save_minutes(0, 5, [full])
    assert await store.minutes("country", hour, hour) == [full]


async def test_partitions_are_added_up(store: Store, hour: int) -> None:
    await store.save_minutes(0, 5, [of(hour, 10)])
    await store.save_minutes(1, 4, [of(hour, 20), of(hour, 1, "2.0")])
    found = sorted(await store.minutes("device", hour, hour), key=lambda one: one.label)
    assert found == [of(hour, 30), of(hour, 1, "2.0")]


async def test_a_newer_write_replaces_and_an_older_one_does_not(store: Store, hour: int) -> None:
    await store.save_minutes(0, 5, [of(hour, 10)])
    await store.save_minutes(0, 5, [of(hour, 10)])
    await store.save_minutes(0, 6, [of(hour, 256)])
    await store.save_minutes(0, 5, [of(hour, 300)])
    assert await store.minutes("device", hour, hour) == [of(hour, 256)]


async def test_at_the_same_log_time_the_larger_figures_stay(store: Store, hour: int) -> None:
    for playing_ms in (255, 256, 255):
        await store.save_minutes(0, 5, [of(hour, playing_ms)])
    assert await store.minutes("device", hour, hour) == [of(hour, 256)]


async def test_many_minutes_over_hours_are_read_by_their_bounds(store: Store, hour: int) -> None:
    await store.save_minutes(0, 5, [of(hour + n, n + 1) for n in range(150)])
    found = sorted(await store.minutes("device", hour + 50, hour + 130), key=lambda one: one.minute)
    assert found == [of(hour + n, n + 1) for n in range(50, 131)]
