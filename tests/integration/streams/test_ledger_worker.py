"""The continuous ledger on real engines: one object taken away, one record slipped in, and the hour's command."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.lake.reading import LakeObject, read_objects, read_rows
from infra.engines.cassandra import close, connect
from infra.engines.kafka.publisher import BulkProducer
from infra.engines.registry import Registry
from infra.engines.s3 import ObjectStore
from infra.local.stack import Stack
from infra.runtime.settings import Settings
from infra.stores.ledger_cassandra import ReconciliationStates
from schemas.codec import encode
from schemas.framing import frame
from tests.integration.streams.lake import lag
from tests.integration.streams.workers import Worker, stop
from tests.support.builders import T0, playback
from tests.support.pipeline import eventually, playhead

TOPIC = "playhead.playback"
EVENTS = [f"0199a000-0000-7000-8000-00000001{number:04x}" for number in range(21)]
HOUR = f"{datetime.fromtimestamp((T0 + 60_200) / 1000, UTC):%Y-%m-%dT%H}"


@pytest.fixture
def ledger(local_stack: Stack, start_workers: Callable[..., None], tmp_path: Path) -> Iterator[Worker]:
    """With a short overdue time, next to the lake sink."""
    start_workers("lake")
    settings = local_stack.settings.model_copy(update={"ledger_overdue_seconds": 1})
    worker = Worker(settings, "ledger", 0, tmp_path / "ledger.log")
    yield worker
    stop([worker])


def _newest_of_ours(store: ObjectStore) -> LakeObject:
    """The last object that holds events of this test."""
    data = [each for each in read_objects(store, topic=TOPIC) if each.kind == "data"]
    ours = [each for each in data if any(row["event_id"] in EVENTS for _, row in read_rows(each, store.get(each.key)))]
    return ours[-1]


@pytest.fixture
def states(stack: Settings) -> Iterator[ReconciliationStates]:
    session = connect(stack)
    yield ReconciliationStates(session)
    close(session)


def test_it_misses_one_object_and_one_record_and_balances_again(
    local_stack: Stack, ledger: Worker, states: ReconciliationStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = local_stack.settings
    monkeypatch.setenv("PLAYHEAD_LEDGER_OVERDUE_SECONDS", "1")
    store, schema_id, kafka = ObjectStore(settings), Registry(settings).ids()["playback"], BulkProducer(settings)

    def send(number: int) -> None:
        payload = frame(schema_id, encode(playback(event_id=EVENTS[number], seq=number)))
        kafka.write([(TOPIC, b"ledger", payload)])

    def differs(records: int) -> Callable[[], bool]:
        return lambda: (
            ledger.metric("playhead_ledger_last_run_timestamp_seconds") > 0
            and ledger.metric("playhead_ledger_difference") == records
        )

    for number in range(20):
        send(number)
    eventually(lambda: lag(settings) == 0)  # all tests' records: a part still to be written is missing from the hour
    newest = _newest_of_ours(store)
    eventually(lambda: states.load(newest.chain).position >= newest.end)
    eventually(differs(0))
    place = f"{TOPIC}[{newest.chain.partition}]"
    hour = playhead("ledger", "--hour", HOUR)
    assert hour.returncode == 0, hour.stdout + hour.stderr
    assert "The hour balances." in hour.stdout

    body, metadata = store.get(newest.key), store.head(newest.key)
    store.delete(newest.key)
    eventually(differs(newest.end - newest.start))
    missed = playhead("ledger", "--hour", HOUR)
    assert store.put_if_absent(newest.key, body, metadata)
    assert missed.returncode == 1
    offsets = f"offsets {newest.start} to {newest.end - 1} are" if newest.end - newest.start > 1 else "offset"
    assert f"{place}: {offsets}" in missed.stdout
    assert "in no lake object" in missed.stdout
    eventually(differs(0))

    local_stack.stop("lake")
    send(20)
    eventually(differs(1))
    overdue = playhead("ledger", "--hour", HOUR)
    assert overdue.returncode == 1
    assert f"{TOPIC}[" in overdue.stdout
    assert "is in no lake object" in overdue.stdout
    local_stack.start("lake")
    eventually(differs(0))
