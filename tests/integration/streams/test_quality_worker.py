"""The quality worker as a process, on real Kafka and Cassandra: it counts every event exactly once."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.clock import system_clock
from domain.processes import BY_NAME
from domain.support.updates import MemberError, Received, SessionReport
from infra.engines.cassandra import close, connect
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.kafka.reader import TopicReader
from infra.engines.registry import Registry
from infra.runtime.settings import Settings
from infra.stores.support_cassandra import SupportReader
from producers.ports import Message
from schemas.codec import encode
from schemas.events import Error, Playback, family
from schemas.framing import frame
from tests.integration.streams.scrapes import Scrapes, scraping
from tests.integration.streams.workers import Worker, stop
from tests.support.builders import error, playback
from tests.support.pipeline import PATIENCE_S, answered, eventually
from tests.support.quality_oracle import expected_totals

QUALITY = BY_NAME["quality"]
CONSUMED = "playhead_consumed_records_total"
EVENTS_A_SESSION = 12


@pytest.fixture
def start(stack: Settings, tmp_path: Path) -> Iterator[Callable[[int], Worker]]:
    workers: list[Worker] = []

    def start_one(number: int) -> Worker:
        workers.append(Worker(stack, QUALITY.name, number, tmp_path / f"quality-{number}.log"))
        return workers[-1]

    yield start_one
    stop([worker for worker in workers if worker.process.poll() is None])


@pytest.fixture
def version() -> str:
    """An app version that no other test uses."""
    return f"q-{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def lag(stack: Settings) -> Callable[[], int]:
    kafka = TopicReader(stack)
    return lambda: answered(lambda: kafka.lag(QUALITY.group or "", QUALITY.topics))


def views(seed: str, version: str, sessions: int) -> list[Playback]:
    """Sessions that begin now, shuffled, a tenth of the events twice."""
    random, now = Random(seed), system_clock()
    events: list[Playback] = []
    for number in range(sessions):
        fatal, session = number % 10 == 3, str(UUID(int=random.getrandbits(128), version=4))
        for seq in range(EVENTS_A_SESSION):
            last = seq == EVENTS_A_SESSION - 1
            events.append(
                playback(
                    event_id=str(UUID(int=random.getrandbits(128), version=4)),
                    profile_id=f"{seed}-{number % 97}",
                    playback_session_id=session,
                    app_version=version,
                    session_started_at=now,
                    **dict.fromkeys(("client_time", "sent_at", "received_at", "event_time"), now + seq),
                    seq=seq,
                    watched_ms=seq * 1_000,
                    playhead_ms=seq * 1_000,
                    startup_time_ms=number if seq else None,
                    rebuffer_count=seq // 4,
                    rebuffer_ms=seq // 4 * 300,
                    event_type=("error" if fatal else "stopped") if last else "heartbeat",
                    error_fatal=last and fatal,
                    error_code="drm" if last and fatal else None,
                )
            )
    twice = [msgspec.structs.replace(one, received_at=one.received_at + 50) for one in events[::10]]
    log = [*events, *twice]
    random.shuffle(log)
    return log


def send(settings: Settings, events: Sequence[Playback | Error]) -> None:
    ids = Registry(settings).ids()
    BulkProducer(settings).write(
        [
            Message(f"playhead.{name}", (event.profile_id or "").encode(), frame(ids[name], encode(event)))
            for event in events
            for name in (family(event),)
        ]
    )


def met(events: list[Playback]) -> list[Error]:
    """The errors that these sessions met, each reported twice."""
    return [
        error(event_id=event.event_id, profile_id=event.profile_id, playback_session_id=event.playback_session_id)
        for event in [*events, *events]
        if event.error_fatal
    ]


def assert_counted(scrapes: Scrapes, version: str, events: list[Playback]) -> None:
    expected = expected_totals(events)["device", "tv", version]
    for figure, value in (
        ("views_total", expected.views),
        ("starts_total", expected.starts),
        ("failures_total", expected.failures),
        ("rebuffers_total", expected.rebuffers),
        ("playing_seconds_total", expected.playing_ms / 1000),
        ("rebuffer_seconds_total", expected.rebuffer_ms / 1000),
    ):
        assert scrapes.total(f"playhead_quality_{figure}", app_version=version) == pytest.approx(value), figure
    below_half_a_second = sum(expected.startups[:2])
    assert (
        scrapes.total("playhead_quality_startup_seconds_bucket", app_version=version, le="0.5") == below_half_a_second
    )


def assert_reported_to_support(settings: Settings, events: list[Playback]) -> None:
    """Each session once, with the state of its last event and all events received; each error once."""
    sessions = {(event.profile_id, event.playback_session_id) for event in events}
    failed = {(event.profile_id, event.playback_session_id) for event in events if event.error_fatal}
    reports, errors = asyncio.run(reported(settings, {profile_id for profile_id, _ in sessions}))
    all_received = EVENTS_A_SESSION - 1, Received(EVENTS_A_SESSION, EVENTS_A_SESSION)
    assert Counter((one.profile_id, one.playback_session_id) for one in reports) == Counter(sessions)
    assert {(one.record.seq if one.record else None, one.received) for one in reports} == {all_received}
    assert Counter((one.profile_id, one.playback_session_id) for one in errors) == Counter(failed)


async def reported(settings: Settings, profiles: set[str]) -> tuple[list[SessionReport], list[MemberError]]:
    session = connect(settings)
    reader = SupportReader(session)
    reports = [one for profile_id in profiles for one in await reader.reports(profile_id, 100)]
    errors = [one for profile_id in profiles for one in await reader.errors(profile_id, 100)]
    close(session)
    return reports, errors


def test_kills_and_rebalances_in_mid_count_change_no_figure_and_no_counter_ever_falls(
    stack: Settings, start: Callable[[int], Worker], lag: Callable[[], int], version: str
) -> None:
    events: list[Playback] = []

    def send_more(part: str) -> None:
        events.extend(more := views(f"{version}-{part}", version, sessions=200))
        send(stack, [*more, *met(more)])

    with scraping([stack.process_port(QUALITY, number) for number in (0, 1)]) as scrapes:
        first = start(0)
        eventually(lambda: first.partitions() == stack.topic_partitions)
        send_more("before")
        eventually(lambda: scrapes.total("playhead_quality_views_total", app_version=version) > 0)

        consumed = first.metric(CONSUMED)
        first.signal(signal.SIGSTOP)
        send_more("killed")
        first.signal(signal.SIGCONT)
        eventually(lambda: first.metric(CONSUMED) > consumed)
        first.signal(signal.SIGKILL)  # it has counted events that are in no checkpoint yet
        first.process.wait()

        first = start(0)
        second = start(1)
        send_more("rebalanced")
        eventually(lambda: (first.partitions(), second.partitions()) == (2, 2))
        send_more("shared")
        first.signal(signal.SIGTERM)
        send_more("handed over")
        assert first.process.wait(PATIENCE_S) == 0
        eventually(lambda: lag() == 0)
        eventually(lambda: second.partitions() == stack.topic_partitions)
        # A partition handed over after its last record shows its values only when its checkpoint is loaded.
        played = expected_totals(events)["device", "tv", version].playing_ms / 1000
        eventually(lambda: scrapes.total("playhead_quality_playing_seconds_total", app_version=version) > played - 0.5)
    assert_counted(scrapes, version, events)
    assert scrapes.falls == []
    assert_reported_to_support(stack, events)
