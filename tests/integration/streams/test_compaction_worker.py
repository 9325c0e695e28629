"""From too many live sessions to a compressed history, by the workers' own doing and by hand."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from domain.history.reading import FullHistory, HistoryReader
from domain.processes import BY_NAME
from infra.engines.cassandra import close, connect
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.stores.compressed_vh_cassandra import CompressedVH
from infra.stores.history_cassandra import LiveVH
from producers.ports import Message
from schemas.codec import encode
from schemas.events import Playback
from schemas.framing import frame
from schemas.topics import COMPACTION_REQUESTS, EVENT_TOPICS
from tests.integration.streams.workers import Worker, stop
from tests.support.builders import T0, compaction_request, playback
from tests.support.fake_metrics import FakeMetrics
from tests.support.oracle import by_profile, expected_history
from tests.support.pipeline import eventually, playhead

KEPT = 3
SESSIONS = 40
COMPACTED = "playhead_compactions_total"


class Stores(NamedTuple):
    live: int
    rolled_up: int


@pytest.fixture(scope="module")
def settings(stack: Settings) -> Settings:
    return stack.model_copy(update={"compaction_threshold": 10, "compaction_keep_live": KEPT, "chunk_bytes": 4096})


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    workers: list[Worker] = []

    def start_one(process: str) -> Worker:
        workers.append(Worker(settings, process, 0, tmp_path / f"{process}.log"))
        return workers[-1]

    yield start_one
    stop([worker for worker in workers if worker.process.poll() is None])


@pytest.fixture
def profile() -> str:
    return f"rolled-{uuid4()}"


def sessions(profile: str, count: int = SESSIONS) -> list[Playback]:
    """Started, then stopped; each ten minutes after the one before."""
    return [
        playback(
            event_id=str(uuid4()),
            profile_id=profile,
            playback_session_id=f"018bcfe5-6800-7000-8000-{number:011d}{number % 2 * 8}",
            session_started_at=T0 + number * 600_000,
            seq=seq,
            event_type=event_type,
            watched_ms=seq * 1000,
        )
        for number in range(count)
        for seq, event_type in enumerate(("play_requested", "heartbeat", "stopped"))
    ]


def send(settings: Settings, events: list[Playback]) -> None:
    schema_id = Registry(settings).ids()["playback"]
    topic = EVENT_TOPICS["playback"].name
    BulkProducer(settings).write(
        [Message(topic, event.profile_id.encode(), frame(schema_id, encode(event))) for event in events]
    )


def request(settings: Settings, profiles: list[str]) -> None:
    schema_id = Registry(settings).ids()[COMPACTION_REQUESTS.record]
    BulkProducer(settings).write(
        [
            Message(
                COMPACTION_REQUESTS.name, one.encode(), frame(schema_id, encode(compaction_request(profile_id=one)))
            )
            for one in profiles
        ]
    )


def drained(settings: Settings, *processes: str) -> bool:
    kafka = TopicReader(settings)
    return not any(kafka.lag(BY_NAME[name].group or "", BY_NAME[name].topics) for name in processes)


def read(settings: Settings, *profiles: str) -> list[FullHistory]:
    async def all_of_them() -> list[FullHistory]:
        session = connect(settings)
        reader = HistoryReader(LiveVH(session), CompressedVH(session), FakeMetrics())
        histories = await asyncio.gather(*map(reader.read_all, profiles))
        await asyncio.to_thread(close, session)
        return histories

    return asyncio.run(all_of_them())


def stores(settings: Settings, profile: str) -> Stores:
    (whole,) = read(settings, profile)
    return Stores(whole.live, whole.compressed)


def test_a_history_that_grows_too_long_is_rolled_up_and_a_replayed_day_changes_nothing(
    settings: Settings, start: Callable[[str], Worker], profile: str
) -> None:
    start("history")
    start("compaction")
    events = sessions(profile)
    send(settings, events)
    eventually(lambda: stores(settings, profile).rolled_up > SESSIONS // 2)
    send(settings, events)
    eventually(lambda: drained(settings, "history", "compaction"))
    (whole,) = read(settings, profile)
    assert by_profile(whole.records) == expected_history(events)
    assert whole.complete


def test_requests_survive_a_worker_that_is_killed(
    settings: Settings, start: Callable[[str], Worker], profile: str
) -> None:
    profiles = [f"{profile}-{number}" for number in range(60)]
    events = [event for one in profiles for event in sessions(one, count=8)]
    history = start("history")
    send(settings, events)
    eventually(lambda: drained(settings, "history"))
    stop([history])
    worker = start("compaction")
    eventually(lambda: worker.partitions() == settings.topic_partitions)
    before = worker.metric(COMPACTED)
    request(settings, profiles)
    eventually(lambda: worker.metric(COMPACTED) > before)
    worker.signal(signal.SIGKILL)
    worker.process.wait()
    start("compaction")
    eventually(lambda: drained(settings, "compaction"))
    histories = read(settings, *profiles)
    assert by_profile(record for whole in histories for record in whole.records) == expected_history(events)
    assert [(whole.live, whole.compressed) for whole in histories] == [(KEPT, 8 - KEPT)] * len(profiles)


def test_compaction_by_hand(settings: Settings, start: Callable[[str], Worker], profile: str) -> None:
    start("history")
    other = f"{profile}-other"
    send(settings, [*sessions(profile, count=8), *sessions(other, count=8)])
    eventually(lambda: drained(settings, "history"))
    one = playhead("compact", "--profile", profile, "--keep-live", str(KEPT))
    assert (one.returncode, one.stdout) == (0, "1 published\n")
    assert stores(settings, profile) == (KEPT, 8 - KEPT)
    assert stores(settings, other) == (8, 0)
    everyone = playhead("compact", "--all", "--keep-live", str(KEPT))
    assert everyone.returncode == 0
    assert stores(settings, other) == (KEPT, 8 - KEPT)
    assert playhead("compact").returncode == 1
